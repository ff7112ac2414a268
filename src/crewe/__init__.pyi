from crewe.atoms import ColumnFit as ColumnFit
from crewe.atoms import find_columns as find_columns
from crewe.atoms import fit_columns as fit_columns
from crewe.degradation import degrade as degrade
from crewe.errors import CalibrationError as CalibrationError
from crewe.errors import CreweError as CreweError
from crewe.errors import ImageError as ImageError
from crewe.errors import NoColumnsError as NoColumnsError
from crewe.errors import PlanError as PlanError
from crewe.errors import ReadError as ReadError
from crewe.errors import RecipeError as RecipeError
from crewe.errors import SourceError as SourceError
from crewe.errors import SpecimenError as SpecimenError
from crewe.errors import WriteError as WriteError
from crewe.io import list_signals as list_signals
from crewe.io import read as read
from crewe.io import read_image as read_image
from crewe.io import write as write
from crewe.restoration import restore as restore
from crewe.simulation.linear import linear_image as linear_image
from crewe.training_sets import open_training_set as open_training_set
from crewe.workflows import QuantifyPlan as QuantifyPlan
from crewe.workflows import phase_images as phase_images
from crewe.workflows import run as run

__version__: str
