"""INFO is let through while somebody listens, and what others set is left alone."""

from __future__ import annotations

import logging
from uuid import uuid4

import pytest

from qtool.engine.hearing import Hearing


@pytest.fixture
def logger() -> logging.Logger:
    return logging.getLogger(f"alone.{uuid4()}")


def test_info_is_heard_until_the_last_listener_goes(logger: logging.Logger) -> None:
    hearing = Hearing(logger)
    for _ in range(2):
        first, second = hearing.listening(), hearing.listening()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert logger.level == logging.INFO
        second.__exit__(None, None, None)
        assert logger.level == logging.NOTSET


@pytest.mark.parametrize("level", [logging.DEBUG, logging.WARNING])
def test_a_level_that_was_set_before_stays(logger: logging.Logger, level: int) -> None:
    logger.setLevel(level)
    with Hearing(logger).listening():
        assert logger.level == level
    assert logger.level == level


def test_a_level_that_is_set_meanwhile_stays(logger: logging.Logger) -> None:
    with Hearing(logger).listening():
        logger.setLevel(logging.ERROR)
    assert logger.level == logging.ERROR
