import pytest

pytest.register_assert_rewrite("tests.fakes", "tests.integration")  # their assertions show what differs
