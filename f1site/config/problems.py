"""What is wrong with the configuration, collected while the settings load, so that each tool can show it in its way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from f1site.config.errors import ConfigError

T = TypeVar("T")


class Problems(list[ConfigError]):
    def read(self, read: Callable[[], T], otherwise: T) -> T:
        """What `read` returns; where it raises ConfigError, the problem is kept and `otherwise` is returned."""
        try:
            return read()
        except ConfigError as problem:
            self.append(problem)
            return otherwise
