"""Words of the page on real sets."""

EXPLANATION = """\
Every real set at hand was opened with `crewe.chemistry.files.open_fusion_inputs`, HAADF laid on
the maps with `crewe.chemistry.registration.align`, and fused with no option set (*fused*). Maps
that are no counts are fused once more with `likelihood="poisson"` (*fused, Poisson*). Two sets
hold spectra but no elastic image: there all X-rays from 1 keV outside the windows of the
elements stand in for HAADF. They share no count with the maps, so their noise is independent."""

GAIN = """\
The truth is not known, but data that a map has not seen are. Counts are given to one of two
halves A and B by a coin, which makes them independent; maps that are no counts are split into
even and odd rows, or columns. A map F is made of A alone, and ρ² = cov(F, B)² / (var F · cov(A,
B)) is the square of its correlation with the truth: noise of B is in neither F nor A. HAADF is
not split; it has no part in the noise of B. The table gives the ratio of what is right in the
map to what is wrong, ρ/√(1 − ρ²), at half of the counts, over the pixels of the specimen, with
its standard error over 16 blocks of the image (*uncertain* where that is more than half of it);
the gain is that of the last fusion over raw. The Gaussian's width is the best of 19 by the same
measure, which nobody could know beforehand; *TV, no HAADF* is `prior="spectra"`."""

RATIOS = """\
Counts per atom of Kα lines are products of cross-section, fluorescence yield and share of Kα,
without absorption in the specimen or in the detector's window, for 200 keV. Fusion is not to
move these ratios: it keeps the counts of regions a few tens of pixels wide. *Raw sums* are
counts less background."""

NOT_CHECKED = """\
- Co3O4/Mn3O4: both oxides have four O atoms to three of metal, but the file holds core loss in
  units of its own, without the spectra, windows, beam energy or collection angle that
  cross-sections need; more than nine of ten pixels are exactly zero, which are negative values
  that were cut off. Only that fusion keeps the ratio can be told. Pixels are not calibrated and
  no lattice is resolved.
- FePt: the particles' composition is not published with the file; the factors are those that
  exSpy's manual uses for such particles.
- Bridgmanite: nothing is known of the detector's window, which would change Mg more than Si;
  oxygen lies outside the range of the spectra.
- TiO2 on Si, from a Bruker test file: HAADF correlates with no map (R = 0.13, shift not
  significant), so it is not used; with four counts a pixel little can be told.
- The Velox test files hold 161 counts and 20 × 16 px: they show that the files are read, no
  more.
- EELS_SI_dm4.dm4 has 2 × 2 px, the SrTiO3 file no maps; the latter's spectrum is checked."""
