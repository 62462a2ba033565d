"""Send UDP to ADDRESS at RATE bit/s of Ethernet frames for SECONDS: other people's traffic. Bounded by SECONDS."""

import socket
import sys
import time

FRAME = 1500  # bytes with Ethernet, IPv4 and UDP headers
address, rate, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    started, sent = time.monotonic(), 0
    while (passed := time.monotonic() - started) < seconds:
        if 8 * FRAME * sent < rate * passed:
            sender.sendto(bytes(FRAME - 14 - 20 - 8), (address, 9))
            sent += 1
        else:
            time.sleep(0.001)
