"""Which requests a budget counts."""

from __future__ import annotations

import pytest

from gateway.limits import Facts
from gateway.pipeline.counted import Counted


def facts(path: bytes = b"/", client: str | None = None, route: str | None = None) -> Facts:
    """Return what is known of a request."""
    return Facts(client=client, ip="", headers=(), upstream="api", route=route, method="GET", path=path)


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        (b"/v2/customers", True),
        (b"/v2/customers/", True),
        (b"/v2/customers/7/orders", True),
        (b"/v2/brands/7", True),
        (b"/v2/brands", False),
        (b"/v2/brands/7/x", False),
        (b"/v2/customersx", False),
        (b"/v2//customers", True),
        (b"/v2/%63ustomers", True),
        (b"/v2/x/../customers", True),
        (b"/v2/x%2Fy", False),
        (b"/a%2f;b//./..\\c", True),
    ],
)
def test_by_the_path_that_goes_upstream(path: bytes, counts: bool) -> None:
    """`*` is one segment and `**` all the rest; what some server might read as counted is, however it is spelled."""
    assert Counted(("/v2/customers/**", "/v2/brands/*"))(facts(path)) is counts


def test_by_who_is_chosen() -> None:
    """The client or the route; without a choice all are counted."""
    chosen = [facts(client="shop"), facts(route="pay")]
    for one in chosen:
        assert Counted((), ["shop"], ["pay"], chosen=True)(one)
        assert not Counted((), ["shop"], ["pay"], chosen=False)(one)
    assert Counted((), ["shop"], ["pay"], chosen=False)(facts(client="other"))
    assert Counted()(facts())


def test_whether_the_path_matters_is_known() -> None:
    """So that who does not know it can say that it is missing."""
    assert Counted(["/orders"]).by_path
    assert not Counted(clients=["shop"], chosen=True).by_path
