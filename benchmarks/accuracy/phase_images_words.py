"""What the page on phase images says between its tables."""

EXPLANATION = """
A thin object multiplies the probe's wave by exp(iφ), with a φ that we know: the projected potential
of free atoms. The probe ({kev:g} keV, {mrad:g} mrad, no aberrations, the paper's) visits
{positions} × {positions} places {step:.3f} Å apart; each pattern has {detector} × {detector} pixels
out to {outer:.0f} mrad, the bright-field disk a radius of {radius:.1f} of them. Counts are Poisson,
one realisation at each dose. The methods see the same electrons.

- **adf**: all electrons beyond 1.1 times the semi-angle. **ssb**: single sideband, each frequency
  divided by how many pixels overlap, and left out where it is less than 3 % of the disk's. **ssb
  natural**: the same, not divided, as most programs show it. **icom**: integrated centre of mass.
  **ricom 21, 61**: the kernels of the paper; **bp**: with its band-pass filter, 0.114 to 0.38 1/Å.
- **smeared**: φ convolved with the probe's intensity, which iCOM should show. **within 2α**: φ up
  to twice the aperture, {limit:.3f} 1/Å, which ssb should show. **plain**: φ itself.
- **r**: correlation. **error**: root mean square difference. Means are taken off, and 32 places at
  each border are not judged, as riCOM's kernels reach beyond the edge there. **rad per rad**: slope
  of the image over the truth.
"""

FAILINGS = """
What falls short:

- **ssb** divided by the overlap is right to 0.01 rad without noise, but it lifts the noise of
  frequencies that few pixels know. At 1,000 e/Å² and below, and for the second object at 10,000,
  **ssb natural** is nearer to every truth. That one is not in rad: it loses the lowest frequencies.
  The 3 % that ssb leaves out end it a little short of 2α; the outermost spots of the second object,
  at 0.93 1/Å, are lost to that.
- **riCOM** is in rad only where its kernel passes a frequency as it is. 21 and 61 are off by about
  a fifth in slope, one down and one up, and 21 loses what makes up a pore.
- **ricom 61 bp** suits the zeolite for which the paper chose it. The lattice of the second object
  is at 0.47 1/Å, beyond its band, and is gone.
- **No method** shows one layer of cells at 100 e/Å². Single oxygen atoms on the lattice do not
  stand out at 1,000 e/Å² in any image; at 10,000 they do by three to five standard deviations in
  ssb natural, iCOM and riCOM, and by less than three in ssb, ADF and with the band-pass filter.
- **ADF** is better here than at a microscope. A thin phase object and a perfect detector give no
  background at all, so that each electron tells of an atom; thermal and inelastic scattering are
  left out.
"""

THICKNESS = """
Without noise. SSB takes the object for weak: with the phase its slope falls, and at 20 nm it is
qualitative at best. The centre of mass asks for no weak phase, and iCOM holds on; at 20 nm one
electron in 14 is beyond the detector's edge, and the pixels of the simulation are coarse for such a
phase; together that costs a sixth of the slope. All this is about multiplication by exp(iφ): a real
specimen of 20 nm also has a thickness, in which the probe spreads.
"""

PICTURE = """
Zeolite {nm} nm thick at the paper's doses (12,700 e/Å² and a tenth and a hundredth of it), the
columns in the order of the paper. Yellow: mean of the Fourier transform on rings. Red: what the
kernel passes; cyan, dashed: the line approximation, eq. 3.7, without a filter. Each is scaled to
its own maximum.

As in the paper, ssb natural and riCOM-21 look alike and are poor in low frequencies, riCOM-61 makes
pores dark, and the band-pass filter leaves the framework clearest at the lowest dose. Unlike in the
paper, ADF can be read: see above.
"""

PORES_SEEN = """
Does riCOM-61 alone keep the pores at the lowest dose, as the paper says? To the eye it does, but
pores can be told from walls in the other images too. Mean of squares of {side:g} Å on the walls
less those in pores, in standard deviations of such squares:
"""

PORE = """
Without noise, the mean on circles about the middle of a pore, which is vacuum (Fig. 3.8). Truth
and iCOM fall towards the middle, and so does riCOM-61. riCOM-21, ssb natural and most of all the
band-pass filter rise again there, as if something were in the pore: the low frequencies that would
darken it are missing. ssb divided by the overlap has them and ripples a little, as 2α cuts it off.
"""
