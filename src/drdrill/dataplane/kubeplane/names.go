package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	nameTTL       = 5 // seconds, as CoreDNS answers for a cluster
	upstreamWaits = 4 * time.Second
	longestPacket = 4096
)

// What a name stands for: addresses, or another name.
type answer struct {
	addresses []net.IP
	alias     string
}

type nameServer struct {
	names    atomic.Pointer[map[string]answer]
	domain   string
	upstream string
}

func listenForNames(address, upstream, domain string) (*nameServer, error) {
	server := &nameServer{domain: domain, upstream: net.JoinHostPort(upstream, "53")}
	at := net.JoinHostPort(address, "53")
	packets, err := net.ListenPacket("udp4", at)
	if err != nil {
		return nil, err
	}
	streams, err := net.Listen("tcp4", at)
	if err != nil {
		return nil, err
	}
	go server.servePackets(packets)
	go server.serveStreams(streams)
	return server, nil
}

func (s *nameServer) servePackets(packets net.PacketConn) {
	for {
		buffer := make([]byte, longestPacket)
		size, from, err := packets.ReadFrom(buffer)
		if err != nil {
			fmt.Fprintln(os.Stderr, "node-services: dns:", err)
			continue
		}
		go func() {
			if reply := s.answer(buffer[:size], "udp4"); reply != nil {
				_, _ = packets.WriteTo(reply, from)
			}
		}()
	}
}

func (s *nameServer) serveStreams(streams net.Listener) {
	for {
		connection, err := streams.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, "node-services: dns:", err)
			continue
		}
		go func() {
			defer connection.Close()
			_ = connection.SetDeadline(time.Now().Add(2 * upstreamWaits))
			for {
				asked, err := readFrame(connection)
				if err != nil {
					return
				}
				reply := s.answer(asked, "tcp4")
				if reply == nil || writeFrame(connection, reply) != nil {
					return
				}
			}
		}()
	}
}

// answer returns the reply to a question, nil: none.
func (s *nameServer) answer(asked []byte, network string) []byte {
	var parser dnsmessage.Parser
	header, err := parser.Start(asked)
	if err != nil || header.Response {
		return nil
	}
	question, err := parser.Question()
	if err != nil {
		return nil
	}
	name := strings.ToLower(strings.TrimSuffix(question.Name.String(), "."))
	if name != s.domain && !strings.HasSuffix(name, "."+s.domain) {
		return s.askUpstream(asked, network)
	}
	reply := dnsmessage.Message{
		Header: dnsmessage.Header{
			ID: header.ID, Response: true, Authoritative: true, RecursionDesired: header.RecursionDesired,
			RecursionAvailable: true,
		},
		Questions: []dnsmessage.Question{question},
	}
	names := s.names.Load()
	if names == nil {
		reply.RCode = dnsmessage.RCodeServerFailure // the cluster's services are not known yet
		return pack(reply)
	}
	found, known := (*names)[name]
	switch {
	case known && found.alias != "":
		return s.follow(reply, question, found.alias, network)
	case known && question.Type == dnsmessage.TypeA:
		reply.Answers = records(question.Name, found.addresses)
	case !known && !hasBelow(*names, name):
		reply.RCode = dnsmessage.RCodeNameError
	}
	return pack(reply)
}

// follow answers with another name, and with what the server above says of it.
func (s *nameServer) follow(reply dnsmessage.Message, question dnsmessage.Question, alias, network string) []byte {
	target, err := dnsmessage.NewName(strings.TrimSuffix(alias, ".") + ".")
	if err != nil {
		reply.RCode = dnsmessage.RCodeServerFailure
		return pack(reply)
	}
	reply.Answers = []dnsmessage.Resource{{
		Header: dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET, TTL: nameTTL},
		Body:   &dnsmessage.CNAMEResource{CNAME: target},
	}}
	asked := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: reply.ID, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: target, Type: question.Type, Class: question.Class}},
	}
	var said dnsmessage.Message
	if err := said.Unpack(s.askUpstream(pack(asked), network)); err == nil {
		reply.Answers = append(reply.Answers, said.Answers...)
	}
	return pack(reply)
}

func (s *nameServer) askUpstream(asked []byte, network string) []byte {
	connection, err := net.DialTimeout(network, s.upstream, upstreamWaits)
	if err != nil {
		return nil
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(upstreamWaits))
	if network == "tcp4" {
		if writeFrame(connection, asked) != nil {
			return nil
		}
		reply, _ := readFrame(connection)
		return reply
	}
	if _, err := connection.Write(asked); err != nil {
		return nil
	}
	buffer := make([]byte, longestPacket)
	size, err := connection.Read(buffer)
	if err != nil {
		return nil
	}
	return buffer[:size]
}

func records(name dnsmessage.Name, addresses []net.IP) []dnsmessage.Resource {
	var found []dnsmessage.Resource
	for _, address := range addresses {
		found = append(found, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: nameTTL},
			Body:   &dnsmessage.AResource{A: [4]byte(address.To4())},
		})
	}
	return found
}

// hasBelow says whether a name exists because others are below it, such as a namespace's.
func hasBelow(names map[string]answer, name string) bool {
	for each := range names {
		if strings.HasSuffix(each, "."+name) {
			return true
		}
	}
	return false
}

func pack(message dnsmessage.Message) []byte {
	packed, err := message.Pack()
	if err != nil {
		return nil
	}
	return packed
}

func readFrame(from io.Reader) ([]byte, error) {
	var size [2]byte
	if _, err := io.ReadFull(from, size[:]); err != nil {
		return nil, err
	}
	frame := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err := io.ReadFull(from, frame)
	return frame, err
}

func writeFrame(to io.Writer, frame []byte) error {
	_, err := to.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(frame))), frame...))
	return err
}
