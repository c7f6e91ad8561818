package sharedfile

import "strings"

// Nearest returns the name that was probably meant: the one within two edits
// (of a short name fewer: a third of its length), capitals aside, or "". It is
// never the name asked for itself.
func Nearest(name string, names []string) string {
	const most = 200 // longer names are no slips of the pen
	best, least := "", min(2, (len(name)+2)/3)+1
	if len(name) > most {
		return ""
	}
	asked := strings.ToLower(name)
	for _, n := range names {
		if n == name || len(n)-len(name) >= least || len(name)-len(n) >= least {
			continue
		}
		if d := editDistance(asked, strings.ToLower(n)); d < least {
			best, least = n, d
		}
	}
	return best
}

// editDistance is the least number of edits that make b of a: a byte put in, left
// out or replaced, or two neighbours swapped.
func editDistance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, before
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
