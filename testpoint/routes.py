"""Which path is answered by whom. One more protocol is one more file and its rows here; its name is the file's."""

from collections.abc import Callable

from probes import path_facts
from probes.throughput import throughput1 as throughput1_spec
from probes.throughput.ndt7_spec import DOWNLOAD, UPLOAD
from testpoint import librespeed, mini, ndt7, pages, path, throughput1
from testpoint.visit import Visit

Handler = Callable[[Visit], None]

_LIBRESPEED: dict[str, Handler] = {"garbage": librespeed.garbage, "empty": librespeed.empty, "getIP": librespeed.get_ip}

ROUTES: dict[str, Handler] = {
    "/": pages.front,
    "/healthz": pages.health,
    "/metrics": pages.metrics,
    DOWNLOAD: ndt7.download,
    UPLOAD: ndt7.upload,
    throughput1_spec.DOWNLOAD: throughput1.download,
    throughput1_spec.UPLOAD: throughput1.upload,
    path_facts.PATH: path.facts,
    # LibreSpeed's servers live in the root or in /backend, with or without the ending of the first of them.
    **{
        f"{folder}/{name}{ending}": handler
        for name, handler in _LIBRESPEED.items()
        for folder in ("", "/backend")
        for ending in ("", ".php")
    },
    f"{mini.FOLDER}/latency.txt": mini.latency,
    f"{mini.FOLDER}/upload.php": mini.upload,
    **dict.fromkeys(mini.PICTURE_PATHS, mini.picture),
    "/speedtest-config.php": mini.config,
}
