"""What every group of settings in a plan is."""

from pydantic import BaseModel, ConfigDict


class PlanPart(BaseModel):
    """A frozen group of settings in which an unknown key is an error."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )
