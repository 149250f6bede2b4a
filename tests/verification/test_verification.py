"""Every case meets its tolerances and orders; the cases are shared with the book."""

from __future__ import annotations

import pytest
from cases import CASES, Case


def _parameter(case: Case) -> pytest.ParameterSet:
    marks = [pytest.mark.slow] if case.slow else []
    if case.shortfall:
        marks.append(pytest.mark.xfail(reason=case.shortfall, strict=True))
    return pytest.param(case, id=case.name, marks=marks)


@pytest.mark.parametrize("case", [_parameter(case) for case in CASES])
def test_case(case: Case) -> None:
    report = case.run()
    assert report.checks or report.convergence
    assert report.failures == []
