"""The pages that a person or a monitor may look at."""

from netready import __version__
from probes.path_facts import PATH
from probes.throughput import ndt7_spec, throughput1
from testpoint import mini
from testpoint.exposition import CONTENT_TYPE
from testpoint.visit import Visit, answer, head, is_read, say

HEALTH = "/healthz"

_FRONT = f"""netready testpoint {__version__}

The far end of network tests. It sends and takes random bytes, and stores nothing. It speaks

  ndt7             {ndt7_spec.DOWNLOAD} and {ndt7_spec.UPLOAD}
  throughput1      {throughput1.DOWNLOAD} and {throughput1.UPLOAD}
  LibreSpeed       garbage.php, empty.php and getIP.php, here and in /backend/
  Speedtest Mini   speedtest-cli --mini http://HOST:PORT/ ({mini.EXTENSION})
  path facts       {PATH}

Run: netready measure throughput --server HOST:PORT"""


def front(visit: Visit) -> None:
    """What this is, for whoever finds it in a log, and for speedtest-cli."""
    if is_read(visit):
        answer(visit, 200, _FRONT)


def health(visit: Visit) -> None:
    """For monitors."""
    if is_read(visit):
        answer(visit, 200, "ok")


def metrics(visit: Visit) -> None:
    """For Prometheus."""
    if not is_read(visit):
        return
    if visit.metrics is None:
        answer(visit, 403, "metrics are for this machine and private addresses")
    else:
        page = visit.metrics()
        response = head(200, CONTENT_TYPE, len(page))
        say(visit.channel, response if visit.request.method == "HEAD" else response + page)
