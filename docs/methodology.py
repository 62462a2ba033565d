"""The page for whoever checks a figure: written from the constants that the program runs with, and from the bench's results."""

from pathlib import Path

from probes.throughput import (
    METHODS,
    congestion,
    limited,
    netready,
    reaches,
    responsiveness,
    spread,
    steady,
    target,
    warmup,
)
from probes.throughput.flows import SAMPLE
from probes.throughput.limited import CPU_SHARE, HOST_SHARE, LIMIT_SHARE, LOSSY, SPLIT_RATIO, SPLIT_SECONDS
from probes.throughput.netready_report import BURST, BURST_SECONDS
from probes.throughput.nic import NEAR_INTERFACE
from probes.throughput.settings import Throughput
from probes.throughput.watch import QUIET
from readiness.wording import LIMITS

RESULTS = Path(__file__).resolve().parent.parent / "bench" / "RESULTS.md"
PARTS = (
    ("clean", "Clean lines"),
    ("corners", "The corners of the same ranges"),
    ("peers", "Beside other methods"),
    ("hard", "Lines that no method can know all about"),
    ("coverage", "Does the interval hold what it promises?"),
    ("reaches", "The target test"),
    ("ceiling", "How fast the program itself is"),
)


def page(note: str) -> str:
    """The whole page."""
    precision = Throughput().precision
    text = f"""# How netready measures the Internet line

{note}
This page is for people who must decide whether to believe a figure: reviewers of funding applications, auditors, providers. It
says what is counted, when counting begins and ends, how sure the result is, and what it does not show. Numbers on this page are
read from the program's own constants when the page is written; results come from the last full run of `make bench`.

## In one paragraph

A computer in the school opens {netready.STREAMS} TCP connections to a named test server and loads the line in one direction. The
operating system's own counters say, every {SAMPLE * 1e3:.0f} ms, how many segments have arrived at the receiving end. The warm-up
is recognised and left out. The test ends as soon as the rate has stood still long enough to be known to ±{precision:.0%} at 95 %
confidence{_usual()}, and in any case after {netready.LONGEST:g} s. The figure is the mean rate of the
part that stood still, with its interval, the seconds and bytes it took, and what limited it. What it proves about the line is
**at least the measured rate, plus the other traffic that was on the line meanwhile**.

## Unit and layer

- Rates are bits per second; 1 Mbit/s is 1,000,000 bit/s. No binary prefixes.
- `value` counts **TCP payload** (with TLS, its records are payload). A rate sold by a provider usually counts IP packets or
  Ethernet frames and is higher: with 1,500-byte packets and TCP timestamps over IPv4, the IP rate is 1500/1448 of it
  (+3.6 %). The result carries that figure too, as `ip_rate`, computed from the segment size (`mss`) that was really in use.
- Nothing is multiplied by a "compensation factor".

## Protocol

- M-Lab's `msak throughput1`: each stream is a WebSocket (RFC 6455) over TCP, with TLS where the server asks for it. Our own
  far end is `netready testpoint`; any server that speaks the protocol will do. Both ends are free software; both write the
  test's measurement id to their logs, so a server's owner can confirm a test that a school cites.
- Streams: {netready.STREAMS}, doubled once, up to {netready.MOST_STREAMS}, when the line's queue shows no sign that they fill it.
- Sender's congestion control: BBR where the system has it, else the system's own; the result names it. Where the line holds more
  than the send buffers, BBR's start never ends (it takes 2.89 times the rate it has seen): such a stream goes on with CUBIC after
  {congestion.LONGEST_START:g} s, or {congestion.LONGEST_ROUNDS} round trips if that is longer, and the result says `bbr, then cubic`. One that was asked for is kept.
- Download is counted at the school: segments that arrived. Upload is counted by what the *receiver's* system acknowledged,
  segment by segment (selective acknowledgements included), and never by what the sending program handed over.

## Warm-up

TCP begins slowly, and an average that includes the beginning reads low, the more so the shorter the test. Left out
are the ramp-up (told by its rise), the dip behind it with which BBR drains its own queue (by coming within {warmup.DRAIN_ROUND_TRIPS} round trips), and the
burst credit of a policed line (by being {warmup.BURST:g} times as fast as what follows). Within those bounds, and only there, the cut is the one that
makes the mean of the rest most certain (marginal standard error rule, White 1997). Cutting more freely would keep the quietest
spell of a busy line and call it the line. The phase that is left must
- last at least {steady.LEAST_SECONDS:g} s ({steady.LEAST_SECONDS_FAST:g} s above {steady.FAST / 1e6:.0f} Mbit/s) and at least {steady.LEAST_ROUND_TRIPS} round trips;
- show no trend: its two halves agree within {steady.TREND:.0%}, or within what the interval explains.

A line whose rate changes by {steady.CHANGE:.0%} or more in the middle of the test has no such phase, or only one with too wide an interval. Then the
part behind the change is taken, when that is known well enough, lasts at least {steady.LATER_SECONDS:g} s and {steady.LATER_SHARE:.0%} of the test, and the rate before is given beside it (`rate_before`).

## When it stops

When the steady phase's 95 % interval is no wider than ±{precision:.0%} **and** the line is seen to be full. Full means that {limited.FULL_PINGS:.0%} of the
round trips on an idle connection beside the load have grown by at least {limited.FULL_QUEUE * 1e3:g} ms (and {limited.FULL_SHARE:.0%} of the empty line's
round trip): a queue that stands only most of the time leaves the line idle in between. If the rate stands still without that sign, the streams are doubled; if that brings less than
{netready.GROWTH:.0%}, the rate is given with what else is known about its limit, and not as the line's. The constants were chosen on
one set of links, then frozen, and judged on another (`bench/links.py` lists both).

## What the interval means

The printed interval is meant to hold, 95 times in 100, the rate that the line would have shown on average over a long test under
the same conditions. Consecutive readings of a TCP transfer depend on each other, so their plain spread says too little. The steady
phase is cut into {spread.BATCHES} parts whose means are taken as noise with a memory; how long the memory is, is not guessed but averaged over
({spread.FASTEST * 1e3:g} ms to {spread.SLOWEST:g} s; and noise of lumps, where what one part lacks comes in the next). A floor of ±{spread.FLOOR:.1%} stands for
what does not average out. The interval knows nothing of tomorrow: a line that is busier at noon needs tests at noon, and a report
counts the days and hours it has.

## Round trips under load

In the same phase, every {responsiveness.PING_EVERY * 1e3:.0f} ms a small message travels on a connection without load; every {responsiveness.SELF_EVERY * 1e3:.0f} ms
one travels among the load of each stream, and a new connection is opened and closed. `latency_loaded_*` is the median of the first
(with its 95th percentile), `responsiveness_*` is the round trips a minute (RPM) of the IETF draft on responsiveness, in its TCP form.

## Bursts

Some lines carry more than their rate for the first megabytes. When at least {BURST_SECONDS:g} s before the steady phase ran at {BURST:g} times
its rate or more, the result names that burst (`burst_rate`, `burst_bytes`); the figure is the sustained rate. A burst that is longer than the test
cannot be told from a line: a figure is shown to have been sustained for `window` and no longer.

## What limited it

Only a figure whose one limit is the line itself is given as the line's. Everything else lowers its grade:

| word | limited by | how it is seen |
| --- | --- | --- |
"""
    text += "\n".join(f"| `{word}` | {LIMITS[word]} | {how} |" for word, how in _LIMIT_SIGNS.items()) + "\n"
    return text + _rest() + _results() + _REFERENCES


_LIMIT_SIGNS = {
    "link": "its queue stood: nearly every round trip had grown while the streams kept sending",
    "cpu": f"this program used {CPU_SHARE:.0%} of a processor, or all programs together {HOST_SHARE:.0%} of all",
    "server": "the test server said the same of its own machine",
    "interface": f"the rate is {NEAR_INTERFACE:.0%} of the card's nominal speed, or more",
    "half-duplex": "the card says so",
    "wifi": "the test left through a radio",
    "tunnel": "the test left through a tunnel interface",
    "tls-inspection": "the two ends do not hold the same TLS session (our testpoint tells its own)",
    "proxy": f"the least round trips that the two ends saw differ by {SPLIT_SECONDS * 1e3:g} ms and by {SPLIT_RATIO:g} times, or more",
    "receive-window": f"the senders waited for it in more than {LIMIT_SHARE:.0%} of their busy time, by their own counters",
    "send-buffer": "likewise",
    "loss": f"no queue, and {LOSSY:.1%} of the bytes or more were sent twice: a bad line, or a policer",
    "unsettled": "the rate did not stand still before the time was up",
    "data-budget": "the test was stopped by the number of bytes it was allowed",
    "unknown": "no queue, and none of the above",
}


def _rest() -> str:
    cheap = target.CHEAP_BYTES / 1e6
    return (
        f"""
A test in which nothing arrives for {QUIET:g} s, whose server claims more than was sent, or that ends too early, has no figure but a
failure word.

## Other traffic

While a test runs, the other traffic on the line is read from counters: those of the WAN router where its SNMP counters are
configured, else those of this computer's interface, which sees only itself; the result says which (`load_during`,
`load_during_from`). A router may refresh its counters only seconds after the test, and who was kept down by the test may make up for it
at once. For that time they are reckoned to have had all that the line carries: only what is left is sure and is added to the figure,
and the rest is a doubt (`load_resolution`) that widens its interval. A test is put off while the line is busy, and one that was forced says so.

## The target test: at least RATE?

`--at-least RATE` asks less and costs less. {reaches.STREAMS} streams are paced at {target.PACE:g} times the target, so they never take more.
Wald's sequential test weighs the readings for and against "at least the target" until one side is believed at
{1 - target.ALPHA:.0%}; the chances of a wrong yes and a wrong no are each at most {target.ALPHA:.0%} for lines {target.DELTA:.0%} below or above the
target. Nearer than that, on unsteady lines, or when the sender was held back by something else, the answer is "cannot say". A yes is
given for the seconds and bytes for which the rate was held ({target.HOLD:g} s at least), and names the burst credit that could have faked it.
It moves at most {cheap:.0f} MB for targets up to 100 Mbit/s, and {target.LOAD_SECONDS:g} s at the target rate above.

## Other methods

Each is a method of its own with its own version; figures of two methods are never averaged.

| method | what it does |
| --- | --- |
"""
        + "\n".join(f"| `{row.method}` | {row.does} |" for row in METHODS.values())
        + """

## What this does not show

- The line's rate to *another* place: a test server near the provider flatters, one far away is limited by the way there.
- A rate that nothing loaded: with `limited_by: link` the queue that stood may be any on the way, the school's own or another's.
- Times at which nobody tested. One test is one moment.
- A burst longer than the test (see above).
- What Wi-Fi gives to a pupil: tests belong on a wired computer; on a radio they are graded down.
- An honest server is assumed for downloads only in so far as it must really send; for uploads the receiver's system is believed.
- The results below were made in a laboratory of network namespaces on one machine, with an emulator of our own (rate, delay,
  buffer, loss, policer, steps, other traffic), not on providers' lines. Two processors carried both ends and the line.

## Check it without us

Run `iperf3` or the `ndt7` method beside it, to the same place, one after the other. "Beside other methods" below shows by how much
they differed on four clean lines: they count their own beginning, and ndt7's one connection does not fill a line that holds more than
its send buffer. `make bench` repeats every table on this page on your own machine.
"""
    )


def _sections() -> dict[str, str]:
    """The parts of the last bench run, by name."""
    text = RESULTS.read_text() if RESULTS.exists() else ""
    return {part.partition("\n")[0].strip(): part.partition("\n")[2].strip() for part in text.split("\n## ")}


def _usual() -> str:
    """How long a direction took on the bench's clean lines."""
    row = next((line for line in _sections().get("clean", "").splitlines() if line.startswith("| netready, all ")), "")
    cells = [cell.strip() for cell in row.split("|")]
    return f" (after {cells[6]} s at the median of the bench's clean lines)" if len(cells) > 8 else ""


def _results() -> str:
    """The tables of the last bench run."""
    sections = _sections()
    found = [f"### {title}\n\n{sections[name]}\n" for name, title in PARTS if name in sections]
    return "\n## Results on links that the rules were not chosen on\n\n" + "\n".join(found) if found else ""


_REFERENCES = """
## References

- RFC 6349, Framework for TCP Throughput Testing: baseline round trip and segment size before the rate, and the TCP layer named.
- RFC 9097 and RFC 9946, IP capacity metrics: the word "at least", and counting other traffic on the interface.
- RFC 2330 and RFC 7312, framework for IP performance metrics; RFC 6673 for round-trip loss.
- M-Lab ndt7 protocol v0.11.0 and msak throughput1: the wire formats.
- draft-ietf-ippm-responsiveness: round trips under working conditions.
- White, "An effective truncation heuristic for bias reduction in simulation output", Simulation 69:6 (1997).
- Wald, "Sequential Analysis" (1947), section 4.1.3.
- Box, Jenkins, Reinsel, "Time Series Analysis", chapter 7.
- Feamster, Livingood, "Measuring Internet Speed", CACM 63:12 (2020): what a speed test is not.
"""
