// A pipeline of goroutines over bounded channels, timed in bursts.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type spread struct {
	Min    float64 `json:"min"`
	P10    float64 `json:"p10"`
	Median float64 `json:"median"`
}

type row struct {
	Peer      string  `json:"peer"`
	Version   string  `json:"version"`
	K         int     `json:"k"`
	Capacity  int     `json:"capacity"`
	Packets   int     `json:"packets"`
	NsPerHop  *spread `json:"ns_per_hop,omitempty"`
	CPUPerHop float64 `json:"cpu_ns_per_hop,omitempty"`
	PeakRSS   int64   `json:"peak_rss_kib,omitempty"`
	WallMs    float64 `json:"wall_ms"`
}

// Sends packets through k stages. The time is from before the first send to after the last receive.
func burst(k, capacity, packets int) time.Duration {
	links := make([]chan int, k+1)
	for at := range links {
		links[at] = make(chan int, capacity)
	}
	begun := make(chan time.Time, 1)
	for at := range k {
		go func(in <-chan int, out chan<- int) {
			for packet := range in {
				out <- packet
			}
			close(out)
		}(links[at], links[at+1])
	}
	go func(out chan<- int) {
		begun <- time.Now()
		for at := range packets {
			out <- at & 127
		}
		close(out)
	}(links[0])
	count, sum := 0, 0
	for packet := range links[k] {
		count++
		sum += packet
	}
	wall := time.Since(<-begun)
	if count != packets || sum != expected(packets) {
		fail(fmt.Errorf("k=%d capacity=%d: %d of %d packets came, sum %d", k, capacity, count, packets, sum))
	}
	return wall
}

// What this process has used.
func used() syscall.Rusage {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fail(err)
	}
	return usage
}

// Processor time of all threads of this process.
func cpu() time.Duration {
	usage := used()
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// The sum of what a burst sends.
func expected(packets int) int {
	sum := 0
	for at := range packets {
		sum += at & 127
	}
	return sum
}

func spreadOf(figures []float64) *spread {
	slices.Sort(figures)
	return &spread{tenths(figures[0]), tenths(percentile(figures, 10)), tenths(percentile(figures, 50))}
}

func tenths(figure float64) float64 {
	return math.Round(figure*10) / 10
}

func percentile(sorted []float64, percent int) float64 {
	return sorted[(len(sorted)-1)*percent/100]
}

func numbers(text string) []int {
	var all []int
	for _, part := range strings.Split(text, ",") {
		number, err := strconv.Atoi(part)
		if err != nil || number < 1 {
			fail(fmt.Errorf("%q is not a list of whole numbers of 1 or more", text))
		}
		all = append(all, number)
	}
	return all
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "go:", err)
	os.Exit(1)
}

func print(line row) {
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		fail(err)
	}
}

func milliseconds(wall time.Duration) float64 {
	return float64(wall.Microseconds()) / 1000
}

func main() {
	ks := flag.String("k", "1,3,8", "stages between source and sink")
	capacities := flag.String("capacity", "1,16,128,1024", "packets that a link holds")
	packets := flag.Int("packets", 20000, "packets of a burst")
	rounds := flag.Int("rounds", 20, "measured bursts of each row")
	memory := flag.Bool("memory", false, "one burst of the first row, and the memory it took")
	flag.Parse()
	if *packets < 1 || *rounds < 1 || flag.NArg() > 0 {
		fail(fmt.Errorf("packets and rounds are 1 or more, and there are no other arguments"))
	}
	line := row{Peer: "go-channels", Version: runtime.Version(), Packets: *packets}
	if *memory {
		line.K, line.Capacity = numbers(*ks)[0], numbers(*capacities)[0]
		line.WallMs = milliseconds(burst(line.K, line.Capacity, line.Packets))
		line.PeakRSS = used().Maxrss
		print(line)
		return
	}
	for _, line.K = range numbers(*ks) {
		for _, line.Capacity = range numbers(*capacities) {
			burst(line.K, line.Capacity, line.Packets) // not measured: warms the caches
			hops := float64(line.Packets * (line.K + 1))
			var perHop, walls []float64
			before := cpu()
			for range *rounds {
				wall := burst(line.K, line.Capacity, line.Packets)
				perHop = append(perHop, float64(wall.Nanoseconds())/hops)
				walls = append(walls, milliseconds(wall))
			}
			line.CPUPerHop = tenths(float64((cpu() - before).Nanoseconds()) / hops / float64(*rounds))
			line.NsPerHop = spreadOf(perHop)
			slices.Sort(walls)
			line.WallMs = percentile(walls, 50)
			print(line)
		}
	}
}
