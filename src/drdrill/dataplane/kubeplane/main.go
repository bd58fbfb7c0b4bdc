// kubeplane is one program that is every server of a Kubernetes cluster, and what a node needs beside its kubelet: which
// one is decided by the name that it is started under, so that links to one file take the place of as many builds.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"go.etcd.io/etcd/server/v3/storage/wal"
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// programs maps the name that a program is started under to how its command line is made.
var programs = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllers.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
}

func main() {
	name := filepath.Base(os.Args[0])
	switch name {
	case "etcd":
		// The log is allocated ahead, twice: of 64 MB each, on a disk that is memory in the mirror.
		wal.SegmentSizeBytes = 8 << 20
		etcdmain.Main(os.Args)
		return
	case "cri-streaming":
		os.Exit(serveStreams(os.Args[1:]))
	case "node-services":
		os.Exit(serveServices(os.Args[1:]))
	case "kubectl":
		runKubectl()
		return
	}
	make, known := programs[name]
	if !known {
		fmt.Fprintf(os.Stderr, "kubeplane: started as %q; it is one of %s\n", name, names())
		os.Exit(2)
	}
	os.Exit(cli.Run(make()))
}

// runKubectl does what kubectl's own main does: its errors are printed by its own rules.
func runKubectl() {
	_, _ = logs.GlogSetter(cmd.GetLogVerbosity(os.Args))
	if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
	}
}

func names() string {
	known := []string{"cri-streaming", "etcd", "kubectl", "node-services"}
	for name := range programs {
		known = append(known, name)
	}
	sort.Strings(known)
	return strings.Join(known, ", ")
}
