"""The far end of `speedtest-cli --mini`: the few pages of a Speedtest Mini server that its client asks for (version 2.1.3).

The client also wants a configuration from speedtest.net before any test, even here. `config` is one that keeps it off the
Internet: with `http_proxy=http://HOST:PORT no_proxy=HOST` it asks this server for that, and everything else directly.
"""

from probes.throughput.settings import endpoint
from probes.throughput.speedtest_job import PICTURES
from testpoint.body import take
from testpoint.load import send_load
from testpoint.visit import TEXT, Visit, is_read, reply

GROUP = "mini"  # all connections of a client of this protocol are one test
FOLDER = "/speedtest"
EXTENSION = 'upload_extension: "php"'  # the client looks for these words in the front page

_BY_PATH = {f"{FOLDER}/random{width}x{width}.jpg": size for width, size in PICTURES.items()}
PICTURE_PATHS = tuple(_BY_PATH)

# What the client does with it: 8 download threads, 4 of each picture; uploads of 0.5, 1 and 7 MiB, 51 in all; 10 s each way.
_CONFIG = """<?xml version="1.0" encoding="UTF-8"?>
<settings>
<client ip="{ip}" lat="0" lon="0" isp="" isprating="0" rating="0" ispdlavg="0" ispulavg="0" loggedin="0" country=""/>
<server-config threadcount="4" ignoreids="" notonmap="" forcepingid="" preferredserverid=""/>
<download testlength="10" initialtest="250K" mintestsize="250K" threadsperurl="4"/>
<upload testlength="10" ratio="5" initialtest="0" mintestsize="32K" threads="2" maxchunksize="512K" maxchunkcount="50" \
threadsperurl="4"/>
</settings>
"""


def latency(visit: Visit) -> None:
    """What the client takes the time of."""
    if is_read(visit):
        reply(visit, b"test=test\n", TEXT)


def picture(visit: Visit) -> None:
    """As many bytes as the picture has; they show nothing."""
    if is_read(visit):
        send_load(visit, _BY_PATH[visit.request.path], "image/jpeg", group=GROUP)


def upload(visit: Visit) -> None:
    """Swallow what is posted, and tell its size."""
    if visit.request.method == "POST":
        size = take(visit, GROUP)
        if size is not None:
            reply(visit, f"size={size}".encode(), TEXT)
    elif is_read(visit):
        reply(visit, b"size=0", TEXT)


def config(visit: Visit) -> None:
    """The configuration that speedtest.net would give."""
    if is_read(visit):
        reply(visit, _CONFIG.format(ip=endpoint(visit.peer).host).encode(), "text/xml; charset=utf-8")
