"""Who answers for the AWS services that are not ours: moto in a process of its own, or a LocalStack."""
