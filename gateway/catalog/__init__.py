"""The closed list of codes as data: what each means, who must act, and what the upstream's statuses and words map to.

Everything here is pure; the files of this package are read once, at import. The pages are in `gateway.catalog.pages`
and the reference in `gateway.catalog.reference`; they are imported where they are shown.
"""

from gateway.catalog.codes import CODES
from gateway.catalog.fields import field_code_of
from gateway.catalog.statuses import for_status

__all__ = ["CODES", "field_code_of", "for_status"]
