"""What the page on fused element maps says between its tables."""

EXPLANATION = """
Element maps and HAADF of specimens that we know, with Poisson's noise: how far is what comes out of
`crewe.fuse`, with no option set, from the truth? The specimens are those of
[Schwartz et al. 2022](https://doi.org/10.1038/s41524-021-00692-5), figures 5 and 6, rebuilt in
`crewe.testing.core_shell`.

- **smooth**: a sphere of CoS in a shell of CoO, in projection, 256 × 256 pixels; elements Co, S and
  O; counts grow with the thickness. HAADF is Σ (Z x)^1.7 over the elements.
- **textured**: the thickness varies by a fifth within about two pixels, another texture for each
  seed.
- **atomic**: metal and anions are columns 4.4 pixels wide (twice sigma), 20 × 14.1 pixels a cell.
- **HAADF SNR**: root of the mean counts in the particle. **chemical SNR**: 1.12 over the mean
  relative error of the counts; at 2 a pixel of the smooth particle holds 3.7 counts of cobalt, 0.8
  of sulphur and 2.9 of oxygen.
- **error**: ‖x − truth‖ / ‖truth‖, mean over elements, mean over {seeds} realisations.

Beside it, every one with a parameter chosen *by the truth*, which nobody has at a microscope:

- **Gaussian**: the width that is best for each map. **Poisson + TV**: Poisson's likelihood and
  total variation without HAADF (`crewe.chemistry.amounts`), the weight that is best for each map.
- **original**: multimodal_fusion 0.6.0, by the paper's authors, in an environment of its own. It
  divides each map by its largest pixel; that is undone. *defaults*: none chosen. *tutorials*: the
  better of its two tutorials' weights. *best*: the best of these and of 30 more, over λ_chem, λ_TV
  and two weightings of the elements. *sums kept*: the same, each map multiplied so that its sum is
  that of its counts, which the program does not do but its user could.

How fast both are is [on a page of its own](fusion_speed.md).
"""

FAILINGS = """
In parentheses: the phantoms suit the method. HAADF follows the thickness exactly, without
diffraction contrast, drift or a shift against the maps; columns repeat exactly; composition is
smooth but for one edge. What real data make of it is [on another page](fusion_real.md).

What falls short:

- Fractions are not better than those of the counts. From 20 / 5 on both are within the half percent
  asked for; at 10 / 2 they are off by up to about that, at 4 / 1 by up to one percent, the most of
  it noise that the counts themselves have. Fusing adds up to a third of a percent.
- At a chemical SNR of 1 a better HAADF does not help the atomic particle; the pattern of the
  columns is what is missing then, and only counts tell of it.
- Where counts are many and HAADF is noisy (textured, 4 / 10) nothing is won over a Gaussian filter.
- Standard errors from repeated noise follow the error closely, but are a tenth to a quarter too
  short, at high SNR up to a third: they do not know of bias. Those of the Hessian are several times
  too long and hardly tell one HAADF from another; for them the line of Fig. 6c holds only roughly.
- The original leaves the scale of its maps behind when a noisy maximum was what it divided by; with
  each sum set right, and its weights chosen by the truth, it beats the Gaussian filter on smooth
  particles and on textured ones at low SNR.
"""

FRACTIONS = """
Atomic fractions of core and shell: the largest error over phases, elements and realisations, in
percent of all atoms. Amounts are summed over the places of a phase, so that noise hardly matters
and a bias shows; *counts* are unbiased, and their error is what the noise alone leaves.
"""

GRID = """
Error of crewe at all SNRs, by which factor the best Gaussian is worse, and which prior the counts
chose in each realisation: **c**omposition, columns (**k**), or **s**pectra, which does without
HAADF.
"""

FILM = """
Films of Ga and O of equal thickness over each other in a frame of vacuum; gallium is 40.00 % of the
atoms. By realisation: its fraction in all counts of the film, then mean and sigma of the histogram
of its fraction in the fused pixels, as in Fig. 5 (paper: 40 ± 0.4 %). HAADF is flat and shows
nothing that the counts do not.
"""

ERROR_BARS = """
Average standard error (length of the standard errors over that of the maps, mean over elements)
beside the error, as in Fig. 6c, one realisation. *repeated*: fused again from eight draws of noise
(`repeated_error`). *Hessian*: eq. 4, each pixel alone (`hessian_error`); it knows no smoothing, so
that it is an upper bound. *within 2*: share of the particle's pixels no farther from the truth than
two standard errors. [Another page](fusion_standard_error.md) asks each pixel's.

Over all of them the correlation of error and average standard error is {repeated:.3f} for repeated
noise and {hessian:.3f} for the Hessian.
"""
