"""The two cables of the lab: caller <-> router <-> far side, each a pair of TUN devices joined by this process.

It delays every packet, and does to them what a kernel's own tools cannot, or not on every kernel: resets that are forged
in the middle of the path when a packet holds some bytes, and packets that are swallowed above a size or after a payload.

    delay-line.py CALLER_NETNS FAR_NETNS        (run inside the router's network namespace)

Settings come as JSON lines on stdin, each is answered with a line on stdout; the end of stdin ends the process.
    {"nearMs": 5, "farMs": 20, "jitterMs": 0, "resetOn": "text or hex:", "swallowOn": "...", "swallowAbove": 1200}
"""

import fcntl
import heapq
import json
import os
import random
import select
import struct
import subprocess
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000


def tun(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def tcp_payload(packet):
    """Where the payload of a TCP packet over IPv4 starts; None for anything else."""
    if len(packet) < 40 or packet[0] >> 4 != 4 or packet[9] != 6:
        return None
    ip_length = (packet[0] & 15) * 4
    return ip_length + (packet[ip_length + 12] >> 4) * 4


def forged_reset(packet):
    """A reset toward the sender of this packet, as if the receiver had sent it: exact in sequence, made by nobody's kernel."""
    ip_length = (packet[0] & 15) * 4
    start = tcp_payload(packet)
    source_port, target_port, sequence, acknowledged = struct.unpack("!HHII", packet[ip_length : ip_length + 12])
    expected = (sequence + len(packet) - start) & 0xFFFFFFFF
    tcp = struct.pack("!HHIIBBHHH", target_port, source_port, acknowledged, expected, 5 << 4, 0x14, 8192, 0, 0)
    pseudo = packet[16:20] + packet[12:16] + struct.pack("!BBH", 0, 6, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 4711, 0, 41, 6, 0, packet[16:20], packet[12:16])
    return ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + tcp


def pattern(text):
    if not text:
        return None
    return bytes.fromhex(text[4:]) if text.startswith("hex:") else text.encode()


def hurry():
    """A cable does not wait for its turn on the processor, as far as the machine allows that."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    except (AttributeError, OSError):
        pass


def main(caller, far):
    hurry()
    ends = {name: tun(name) for name in ("c0", "r0", "r1", "s0")}
    subprocess.run(["ip", "link", "set", "c0", "netns", caller], check=True)
    subprocess.run(["ip", "link", "set", "s0", "netns", far], check=True)
    across = {
        ends["c0"]: (ends["r0"], "nearMs", True),
        ends["r0"]: (ends["c0"], "nearMs", False),
        ends["r1"]: (ends["s0"], "farMs", True),
        ends["s0"]: (ends["r1"], "farMs", False),
    }
    settings = {"nearMs": 0, "farMs": 0, "jitterMs": 0}
    swallowed = set()  # Flows that a filter has decided to swallow.
    waiting, number, asked = [], 0, b""
    print("ready", flush=True)

    def send(target, packet, delay):
        nonlocal number
        number += 1
        heapq.heappush(waiting, (time.monotonic() + delay, number, target, packet))

    def outward(packet, source):
        """A packet of the caller's that has come to the router: whether it may go on."""
        start = tcp_payload(packet)
        if start is None:
            return True
        payload = packet[start:]
        ports = (packet[0] & 15) * 4
        flow = packet[12:20] + packet[ports : ports + 4]
        reset_on, swallow_on = pattern(settings.get("resetOn")), pattern(settings.get("swallowOn"))
        if reset_on and reset_on in payload:
            send(source, forged_reset(packet), 2 * settings["nearMs"] / 1000)
        if swallow_on and swallow_on in payload:
            swallowed.add(flow)
        above = settings.get("swallowAbove")
        return flow not in swallowed and not (above and len(packet) > above)

    while True:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, target, packet = heapq.heappop(waiting)
            try:
                os.write(target, packet)
            except OSError:
                pass  # The device is down, or its queue is full: as on any cable, the packet is lost.
        patience = max(0, waiting[0][0] - now) if waiting else None
        readable, _, _ = select.select([*across, 0], [], [], patience)
        for fd in readable:
            if fd == 0:
                chunk = os.read(0, 65536)
                if not chunk:
                    return
                *lines, asked = (asked + chunk).split(b"\n")
                for line in lines:
                    settings.update(json.loads(line))
                    print("set", flush=True)
                continue
            target, delay_name, out = across[fd]
            try:
                packet = os.read(fd, 65536)
            except OSError:
                continue
            if delay_name == "nearMs" and out and not outward(packet, fd):
                continue
            send(target, packet, (settings[delay_name] + random.random() * settings["jitterMs"]) / 1000)


if __name__ == "__main__":
    main(*sys.argv[1:3])
