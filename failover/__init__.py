"""The company's failover code: what its operators run in a disaster. AWS's API, Terraform, the CI, names."""
