import pytest
from small_models import small_model


@pytest.fixture
def model():
    return small_model()
