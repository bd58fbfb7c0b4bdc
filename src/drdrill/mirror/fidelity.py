"""How true each part of the embedded mirror is, and which claims of a drill it cannot support."""

from __future__ import annotations

from drdrill.environment.port import Fidelity

FIDELITY: tuple[Fidelity, ...] = (
    Fidelity("PostgreSQL, its replication and promotion", "real", "killing processes keeps the page cache: "
             "a host's loss does not test what fsync protects"),
    Fidelity("RDS control plane", "emulated", "failure detection takes a configured time; AWS's own is not shown"),
    Fidelity("RDS instance classes and storage", "emulated", "another class is the outage that it takes, on the "
             "same machine; disks are small, and grow in the proportion of the allocated storage"),
    Fidelity("RDS parameter groups", "real", "PostgreSQL has their values; what holds the mirror's replication "
             "together cannot be set"),
    Fidelity("RDS backups", "real", "the log is stored as often as environment.yaml says (AWS: every 5 minutes); "
             "nothing is encrypted: a key has to be there and enabled in its region's KMS, and is not used"),
    Fidelity("VPCs, subnets, routes, security groups", "modelled", "kept as they were made, and machines stand in "
             "their subnets' zones; nobody is kept out by them, and addresses are those of the zones"),
    Fidelity("link between regions", "modelled", "a proxy on the source's host delays, throttles and cuts what "
             "read replicas stream, one way; S3's objects cross a model of the same link, and nothing else does"),
    Fidelity("S3 and its replication", "emulated", "objects of all regions stand in one store; rules, status and what "
             "is pending are S3's, how long S3 itself takes is not shown"),
    Fidelity("loss of control planes", "modelled", "a service's API is refused, throttled or silent as a whole, but "
             "for what applications call while they serve: all of S3, STS, SQS and SNS, secrets read, keys used, items "
             "of DynamoDB; clusters' API servers answer on, and so does what the mirror keeps going by itself"),
    Fidelity("IAM, KMS, Secrets Manager and other delegated services", "emulated", "they keep what they are told; no "
             "permission is checked, and what would do something to a machine is refused"),
    Fidelity("Elastic Load Balancing, API Gateway", "emulated", "an Envoy a zone, or a region; its checks and its "
             "balance are real. A node of AWS's is silent for an assumed 30 s until names leave it out"),
    Fidelity("CloudWatch", "emulated", "RDS's ReplicaLag and DatabaseConnections, looked at ten times a second "
             "(AWS: once a minute)"),
    Fidelity("EKS, EC2, Auto Scaling", "emulated", "instances are machines and nodes in seconds, where AWS takes "
             "minutes; one without power is stopped at once, and status checks do not see a partition"),
    Fidelity("Kubernetes", "real", "API servers, controllers, schedulers and kubelets with production's own clocks; a "
             "cluster has one API server and one etcd, which are lost with the region and never with a zone"),
    Fidelity("containers", "emulated", "processes of this machine in namespaces, and images are its programs: nothing "
             "is pulled, processors have no limits, memory is looked at four times a second, users are numbers"),
    Fidelity("services and names in clusters", "emulated", "the kernel leads connections by a program of ours instead "
             "of kube-proxy; every node answers DNS itself, so that is not lost with the nodes CoreDNS would run on"),
    Fidelity("deployments", "emulated", "a machine of the mirror applies manifests of a Git repository with kubectl; "
             "images are not built"),
    Fidelity("Valkey, its replication and promotion", "real", "asynchronous, as ElastiCache's; every engine version is "
             "served by the same Valkey, a node's type is a name, and nothing is encrypted"),
    Fidelity("ElastiCache control plane", "emulated", "failure detection takes a configured time; no snapshots, no "
             "cluster mode, no global datastores"),
    Fidelity("Route 53", "emulated", "a change is in sync when the DNS answers with it, at once; latency is modelled: "
             "hosts are nearest to their own region, users to the first"),
    Fidelity("Route 53's health checks", "real", "eight checkers on the internet look at endpoints at AWS's intervals, "
             "one a region of AWS's where it has several; they see no partition of the internet"),
    Fidelity("the standby's loss", "modelled", "a lost power is known at once: how long writes wait is not shown"),
    Fidelity("hosts, zones, regions", "emulated", "namespaces of one machine: no hardware fails"),
    Fidelity("an isolated region", "emulated", "nothing passes its edge but questions to the one DNS server, which "
             "stands for every VPC's resolver: names answer alike on both sides, and what either side changes shows on "
             "both; what delegated services keep, such as replicas of a secret, is not kept apart"),
    Fidelity("DNS", "real", "one server instead of Route 53's fleet; TTLs are the production's"),
    Fidelity("users", "modelled", "clients write to the database's endpoint, without services between"),
)  # fmt: skip
