"""Amazon Route 53: hosted zones and their simple records, which the mirror's DNS server answers with."""

from drdrill.aws.route53.api import Route53Service

__all__ = ["Route53Service"]
