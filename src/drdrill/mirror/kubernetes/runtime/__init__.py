"""The container runtime of a node: pods are network namespaces, containers are processes, images are local programs.

The kubelet asks over the Container Runtime Interface (`service`); what runs is kept by one small process a pod
(`pod.keeper`, forked by `pod.nursery`), which outlives the runtime. It knows nothing of clusters, drills or plans.
"""
