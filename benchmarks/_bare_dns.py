"""The least that a DNS server in Python can do with dnslib: one record, one name, one loop. What `dns` compares with.

python benchmarks/_bare_dns.py ADDRESS PORT
"""

from __future__ import annotations

import socket
import sys

from dnslib import QTYPE, RR, A, DNSRecord


def main() -> None:
    """Answer every question with one address, for ever."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as serving:
        serving.bind((sys.argv[1], int(sys.argv[2])))
        print("ok", flush=True)
        while True:
            packet, asker = serving.recvfrom(512)
            reply = DNSRecord.parse(packet).reply(ra=0, aa=1)
            reply.add_answer(RR(str(reply.q.qname), QTYPE.A, rdata=A("192.0.2.1"), ttl=30))
            serving.sendto(reply.pack(), asker)


if __name__ == "__main__":
    main()
