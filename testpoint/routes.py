"""Which path is answered by whom. One more protocol is one more file and its rows here."""

from collections.abc import Callable

from probes.throughput.ndt7_spec import DOWNLOAD, UPLOAD
from testpoint import ndt7, pages
from testpoint.visit import Visit

Handler = Callable[[Visit], None]

ROUTES: dict[str, Handler] = {
    "/": pages.front,
    "/healthz": pages.health,
    DOWNLOAD: ndt7.download,
    UPLOAD: ndt7.upload,
}
