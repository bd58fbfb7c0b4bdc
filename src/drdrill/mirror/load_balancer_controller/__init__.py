"""What stands in for AWS Load Balancer Controller in pods: it registers services' pods with target groups.

Of the original it has `TargetGroupBinding` with targets by address; its image in a catalogue leads here. It is a
program like any other in the cluster: with the identity of its service account, by the cluster's API and the region's,
lost with its node, taken over by its replica when its lease is not renewed.
"""
