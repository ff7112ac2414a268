"""What stands between the tables of the emulator benchmark's page."""

HEAD = """\
# Emulated multislice images

<!-- Written by `python -m benchmarks.accuracy.emulator`; do not edit by hand. -->

An emulator turns a convolution image, which takes milliseconds, into one of multislice accuracy by
a polynomial of what surrounds each pixel (A. H. Combs et al., Adv. Struct. Chem. Imaging 5 (2019)
2, [doi:10.1186/s40679-019-0064-2](https://doi.org/10.1186/s40679-019-0064-2)). How near does it
come, on the paper's own pairs of images and on ours? [How to fit one](../how-to/emulator.md).

**1 − R²** is the share of the variance of multislice pixels that is missed, the **fractional
r.m.s. error** its root (eq. 4). Unless said otherwise all pixels were held out: pairs are divided
into two halves, each predicted by a fit to the other, twice (seed 0), and all pixels count in one
figure. All that is learned, the shift between the images included, is learned from the training
half.
"""

TABLE = """\
The 20 pairs of Pt–Mo particles (5 % Mo, 586 atoms) that the paper's authors published. *5 × 5* is
the paper's choice: 25 pixels, the logarithm of the middle one, all products to degree 2. *Smoothed*
are 11 features that do not change when the image turns: powers, slopes and curvatures over 1 to
16 pixels. *Crystals* are the {crystals} images of which a pixel exceeds 0.1 of the beam, crystals
along a zone axis; *others* all the rest; each with the variance of just these images.

**Which rows are honest.** The 11 features that are the default, the rows *smoothed* and *smoothed,
degree 2*, were chosen with these very images in view, so that their figures are a little too good.
Two rows are not: the features of *chosen on Pt* were taken one after the other on platinum pairs of
our own that no image of the paper is part of, and those of *chosen within* are chosen anew in each
training half, by folds within it.
"""

TIMES = """\
*Fit*: CPU seconds on one core for {images} images. *ms*: CPU time of a prediction of 250 × 250
pixels on one core with the convolution image at hand, the least of {calls} calls; *with shift*
moves the convolution image onto the multislice image by a spline first, which images made from
atoms do not need. Other programs were running beside: times are upper bounds.
"""

DIVISIONS = """\
Which images fall into which half matters. 1 − R² over {divisions} divisions into halves, of which
those of the table above are the first two (here alone, registration and the features' scales are
those of all images):
"""

CHOSEN = "What each training half chose, with the pixel itself as the start:"

REGISTRATION = """\
Each multislice image against its convolution image, by Gauss–Newton on the residual of a cubic in
the convolution image. Every fit takes out the median over its training images; what differs from
pair to pair stays in.
"""

TERMS = """\
Fig. 4 of the paper on the same folds, all registered: grids of 1 to 7 pixels, degrees 1 to 4, with
and without logarithm and products, and smoothed features. *Spread* is the standard deviation over
the two repeats.
"""

LEFT_OUT = """\
Left out for their time were plans of {terms} terms (`--most-terms`); the paper's largest, of 3654,
is not among those of this table.
"""

LARGEST = """\
The largest model of the paper, 5 × 5 to degree 3 with logarithm, on the first of the four
divisions (learned from one half, tested on the other) beside the others on the same:
"""

FOLDS = """\
One division into two halves of images, of blocks of 7 × 7 pixels, or of single pixels. Where folds
hold blocks or pixels, the image that is tested was seen in training: these figures are
lower and say little about the next image.
"""

TRAINING = """\
Learned from a few images chosen at random, tested on all others, three times: `crewe emulator fit
--leave-out`. Three draws are few, and what they hold decides, above all with the smoothed features
of degree 3, which fail on crystals where training held none.
"""

DRAWS = """\
The same over {draws} draws for each number (registration and the features' scales are those of all
images): median and ninth decile of 1 − R², of all draws and of those that hold two or more of the
crystals along a zone axis.
"""

PICTURES = """\
One division by images. Greys of multislice and emulated image are the same; the difference is
drawn twice, with the reach of the greys and with its own. Best and worst are by fractional r.m.s.
error of the 364 smoothed terms, among the {crystals} crystals along a zone axis and among the
others, which are amorphous, partly crystalline or tilted.
"""

INTENSITY = """\
Error, emulated − multislice, by multislice value, 364 smoothed terms. *Share* is the share of all
squared errors.
"""

COVERAGE = """\
{within_364} of the pixels lie within one and two standard errors with 364 smoothed terms,
{within_378} with 378 (68 % and 95 % for a normal distribution); the errors to expect are learned
from the other half.
"""

OWN = """\
{pairs} platinum particles of 561 atoms, from crystalline to amorphous, three quarters of them
within 4° of a zone axis, in the paper's optics: `examples/emulator/pt561.yaml`, multislice with
{configurations} phonon configurations each. *Ordered* are particles of which at most a third is
amorphous. The default features were chosen on the Pt–Mo pairs, so that here *smoothed* is an honest
row; *chosen on Pt* is not: it was chosen on our own platinum pairs. Phonon noise is the mean square
of the multislice images' own standard error over their variance: {floor} of 1 − R² that nothing can
explain.

Both images are made of the same positions, so that there is no shift. Registration took out at
most {shift:.2f} px in a training half; single pairs, of tilted crystals above all, seem shifted by
more, but do not agree.
"""

PROBE = """\
The width of the probe that leaves a small emulator (21 terms) the least error, and what it is
worth: 1 − R² with convolution images made anew from the atoms, mean of {divisions} divisions into
halves. What is best for the small emulator need not be for larger ones.
"""

EXPONENT = """\
The power of Z cannot be told from these pairs: with one element it is a factor. The paper's pairs
come without atoms, so that it cannot be told from those either.
"""

DOMAIN = """\
What an emulator of these pairs (364 smoothed terms) says when it is asked. *Held-out images* are
asked of emulators of the other half. *Outside* is the median share of pixels unlike any in
training. Where only a convolution image is given, nothing tells its probe but the pixels
themselves: those of another probe that are not flagged are answered, and wrongly.
"""

FLOOR = """\
By how much of a particle is amorphous, 364 smoothed terms; the variance is that of these particles'
own pixels:
"""

DEPTH = """\
What a projection cannot know: the same features beside images of the atoms weighted with their
depth along the beam (and its square), degree 3, on every second pixel, mean of {divisions}
divisions into halves. Nobody has these from an image. It tells how much of what is left is the
order of atoms in depth, at least: one moment or two do not tell all of it.
"""
