package main

import (
	"fmt"
	"net"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
	core "k8s.io/api/core/v1"
)

var protocols = map[core.Protocol]byte{core.ProtocolTCP: unix.IPPROTO_TCP, core.ProtocolUDP: unix.IPPROTO_UDP}

const (
	sourceOffset, destinationOffset = 12, 16 // of the addresses in an IPv4 header
	addressRegister, portRegister   = 1, 2
)

// writeRules replaces all rules in one transaction: nobody ever sees half of them. Connections that were made before
// keep the endpoint that they have.
func writeRules(ports []servicePort) error {
	kernel, err := nftables.New()
	if err != nil {
		return fmt.Errorf("talking to the kernel's nf_tables: %w", err)
	}
	table := &nftables.Table{Family: nftables.TableFamilyIPv4, Name: "services"}
	kernel.AddTable(table) // so that there is one to delete
	kernel.DelTable(table)
	kernel.AddTable(table)
	destinations := []*nftables.Chain{
		hook(kernel, table, "pods", nftables.ChainTypeNAT, nftables.ChainHookPrerouting, nftables.ChainPriorityNATDest),
		hook(kernel, table, "node", nftables.ChainTypeNAT, nftables.ChainHookOutput, nftables.ChainPriorityNATDest),
	}
	refusals := []*nftables.Chain{
		hook(kernel, table, "refuse-pods", nftables.ChainTypeFilter, nftables.ChainHookForward, nftables.ChainPriorityFilter),
		hook(kernel, table, "refuse-node", nftables.ChainTypeFilter, nftables.ChainHookOutput, nftables.ChainPriorityFilter),
	}
	own := hook(kernel, table, "own", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource)
	hairpins := map[string]bool{}
	for number, port := range ports {
		if len(port.endpoints) == 0 {
			for _, chain := range refusals {
				rule(kernel, chain, asksFor(port), &expr.Reject{Type: unix.NFT_REJECT_ICMP_UNREACH, Code: 3})
			}
			continue
		}
		choice := kernel.AddChain(&nftables.Chain{Name: fmt.Sprintf("service-%d", number), Table: table})
		for _, chain := range destinations {
			rule(kernel, chain, asksFor(port), &expr.Verdict{Kind: expr.VerdictJump, Chain: choice.Name})
		}
		for index, one := range port.endpoints {
			rule(kernel, choice, oneOf(len(port.endpoints)-index), leadTo(one)...)
			if !hairpins[one.address.String()] {
				hairpins[one.address.String()] = true
				rule(kernel, own, toItself(one.address), &expr.Masq{})
			}
		}
	}
	if err := kernel.Flush(); err != nil {
		return fmt.Errorf("writing the services' rules: %w", err)
	}
	return nil
}

func hook(kernel *nftables.Conn, table *nftables.Table, name string, kind nftables.ChainType, at *nftables.ChainHook, priority *nftables.ChainPriority) *nftables.Chain {
	return kernel.AddChain(&nftables.Chain{Name: name, Table: table, Type: kind, Hooknum: at, Priority: priority})
}

func rule(kernel *nftables.Conn, chain *nftables.Chain, when []expr.Any, then ...expr.Any) {
	kernel.AddRule(&nftables.Rule{Table: chain.Table, Chain: chain, Exprs: append(when, then...)})
}

// asksFor matches packets to a service's address and port.
func asksFor(port servicePort) []expr.Any {
	return append(address(destinationOffset, port.address),
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{port.protocol}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.BigEndian.PutUint16(port.port)},
	)
}

// oneOf matches one packet of so many, at random; the last rule of a choice matches what is left.
func oneOf(left int) []expr.Any {
	if left == 1 {
		return nil
	}
	return []expr.Any{
		&expr.Numgen{Register: 1, Modulus: uint32(left), Type: unix.NFT_NG_RANDOM},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.NativeEndian.PutUint32(0)},
	}
}

func leadTo(one endpoint) []expr.Any {
	return []expr.Any{
		&expr.Immediate{Register: addressRegister, Data: one.address},
		&expr.Immediate{Register: portRegister, Data: binaryutil.BigEndian.PutUint16(one.port)},
		&expr.NAT{
			Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4,
			RegAddrMin: addressRegister, RegProtoMin: portRegister,
		},
	}
}

// toItself matches what a pod sent to a service and got back as its endpoint: it must not see its own address there.
func toItself(one net.IP) []expr.Any {
	return append(address(sourceOffset, one), address(destinationOffset, one)...)
}

func address(offset uint32, value net.IP) []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: 4},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: value},
	}
}
