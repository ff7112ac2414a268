"""A polynomial of each pixel's neighbourhood that makes a linear image multislice-accurate.

A. H. Combs et al., Adv. Struct. Chem. Imaging 5 (2019) 2, doi:10.1186/s40679-019-0064-2: features
of the linear image (`neighbourhood`, `smoothed`) enter the products that `terms` lists, a least
squares fit (`monomials`, `normal_equations`) finds their coefficients from a few multislice images,
and `evaluate` sums them for a new image.
"""
