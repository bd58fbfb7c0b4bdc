package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"sort"
	"time"

	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// What a node does for services and their names: it follows the cluster's Services and EndpointSlices, writes the
// kernel's rules that lead a service's address to its ready endpoints (rules.go), and answers the cluster's DNS
// (names.go). kube-proxy in nftables mode writes the same rules with the program `nft`, which machines lack and nobody
// may install as an ordinary user; here they go to the kernel directly.

// kube-proxy's own default: rules are written at most once a second, the first change at once.
const rulesEvery = time.Second

// An endpoint of one port of a service.
type endpoint struct {
	address net.IP
	port    uint16
}

// A port of a service at its own address, and who is ready behind it.
type servicePort struct {
	address   net.IP
	port      uint16
	protocol  byte
	endpoints []endpoint
}

// What the cluster says now.
type picture struct {
	ports []servicePort
	names map[string]answer
}

type follower struct {
	services cache.SharedIndexInformer
	slices   cache.SharedIndexInformer
	factory  informers.SharedInformerFactory
	domain   string
	changed  chan struct{}
}

func serveServices(arguments []string) int {
	flags := flag.NewFlagSet("node-services", flag.ContinueOnError)
	kubeconfig := flags.String("kubeconfig", "", "how the API server is reached (required)")
	address := flags.String("dns", "", "address that the cluster's DNS answers at (required)")
	upstream := flags.String("upstream", "", "address of the DNS server that all other names are asked of (required)")
	domain := flags.String("domain", "cluster.local", "the cluster's domain")
	if err := flags.Parse(arguments); err != nil {
		return 2
	}
	if err := follow(*kubeconfig, *address, *upstream, *domain); err != nil {
		fmt.Fprintln(os.Stderr, "node-services:", err)
		return 1
	}
	return 0
}

func follow(kubeconfig, address, upstream, domain string) error {
	configuration, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(configuration)
	if err != nil {
		return err
	}
	server, err := listenForNames(address, upstream, domain)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	it := &follower{
		services: factory.Core().V1().Services().Informer(),
		slices:   factory.Discovery().V1().EndpointSlices().Informer(),
		factory:  factory,
		domain:   domain,
		changed:  make(chan struct{}, 1),
	}
	for _, informer := range []cache.SharedIndexInformer{it.services, it.slices} {
		if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { it.notice() },
			UpdateFunc: func(any, any) { it.notice() },
			DeleteFunc: func(any) { it.notice() },
		}); err != nil {
			return err
		}
	}
	ctx := context.Background()
	factory.Start(ctx.Done())
	// Whoever asks before is told to try again: an answer of nothing would be believed.
	factory.WaitForCacheSync(ctx.Done())
	written := time.Time{}
	var due <-chan time.Time
	for {
		now := it.look()
		server.names.Store(&now.names)
		if wait := rulesEvery - time.Since(written); wait <= 0 {
			if err := writeRules(now.ports); err != nil {
				return err
			}
			written, due = time.Now(), nil
		} else if due == nil {
			due = time.After(wait)
		}
		select {
		case <-it.changed:
		case <-due:
			due = nil
		}
	}
}

func (f *follower) notice() {
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

// look makes a picture of what the informers hold.
func (f *follower) look() picture {
	slices, _ := f.factory.Discovery().V1().EndpointSlices().Lister().List(labels.Everything())
	behind := map[string][]*discovery.EndpointSlice{}
	for _, slice := range slices {
		if slice.AddressType == discovery.AddressTypeIPv4 {
			key := slice.Namespace + "/" + slice.Labels[discovery.LabelServiceName]
			behind[key] = append(behind[key], slice)
		}
	}
	services, _ := f.factory.Core().V1().Services().Lister().List(labels.Everything())
	sort.Slice(services, func(a, b int) bool { return services[a].UID < services[b].UID })
	seen := picture{names: map[string]answer{}}
	for _, service := range services {
		name := fmt.Sprintf("%s.%s.svc.%s", service.Name, service.Namespace, f.domain)
		mine := behind[service.Namespace+"/"+service.Name]
		address := net.ParseIP(service.Spec.ClusterIP).To4()
		switch {
		case service.Spec.Type == core.ServiceTypeExternalName:
			seen.names[name] = answer{alias: service.Spec.ExternalName}
		case service.Spec.ClusterIP == core.ClusterIPNone:
			nameEndpoints(seen.names, name, mine)
		case address != nil:
			seen.names[name] = answer{addresses: []net.IP{address}}
			for _, port := range service.Spec.Ports {
				if protocol, known := protocols[port.Protocol]; known {
					seen.ports = append(seen.ports, servicePort{
						address, uint16(port.Port), protocol, readyEndpoints(mine, port.Name),
					})
				}
			}
		}
	}
	return seen
}

// nameEndpoints gives a headless service's name to all of its ready endpoints, and each its own below it.
func nameEndpoints(names map[string]answer, name string, slices []*discovery.EndpointSlice) {
	everyone := answer{}
	for _, slice := range slices {
		for _, one := range slice.Endpoints {
			if !isReady(one) {
				continue
			}
			for _, text := range one.Addresses {
				address := net.ParseIP(text).To4()
				everyone.addresses = append(everyone.addresses, address)
				if one.Hostname != nil {
					names[*one.Hostname+"."+name] = answer{addresses: []net.IP{address}}
				}
			}
		}
	}
	names[name] = everyone
}

// readyEndpoints returns who is ready; nobody being ready, those that still serve while they end, as kube-proxy does.
func readyEndpoints(slices []*discovery.EndpointSlice, name string) []endpoint {
	var ready, ending []endpoint
	for _, slice := range slices {
		for _, port := range slice.Ports {
			if port.Port == nil || (port.Name != nil && *port.Name != name) {
				continue
			}
			for _, one := range slice.Endpoints {
				for _, text := range one.Addresses {
					found := endpoint{net.ParseIP(text).To4(), uint16(*port.Port)}
					if isReady(one) {
						ready = append(ready, found)
					} else if isTrue(one.Conditions.Serving) && isTrue(one.Conditions.Terminating) {
						ending = append(ending, found)
					}
				}
			}
		}
	}
	if len(ready) == 0 {
		return ending
	}
	return ready
}

// isReady follows the API: an unknown state counts as ready.
func isReady(one discovery.Endpoint) bool {
	return one.Conditions.Ready == nil || *one.Conditions.Ready
}

func isTrue(value *bool) bool { return value != nil && *value }
