package bench

import (
	"fmt"
	"strings"
)

// numbersMarker stands above the table of numbers in the library's READMEs.
const numbersMarker = "<!-- numbers of bench/README.md -->"

// numbers are those that the library's READMEs claim: ours, and the peer's. They are
// in the order of the rows there.
func (r *Report) numbers() (pairs [][2]string, err error) {
	in := &reading{report: r}
	pair := func(part, head, theirs string, begin ...string) {
		ours := in.text(part, head, append(begin[:len(begin):len(begin)], Ours)...)
		pairs = append(pairs, [2]string{ours, in.text(part, head, append(begin[:len(begin):len(begin)], theirs)...)})
	}
	pair("rotation", "errors", SDK, longOutage)
	pair("rotation", "STS calls", SDK, longOutage)
	pair("rotation", "errors", SDK, hungCall)
	pair("rotation", "longest wait", SDK, overExpiry)
	pair("crowds", "errors", SDK, allAtOnce)
	pairs = append(pairs, [2]string{in.text("fleet", fleetHead(Ours, "30 s"), "6"), in.text("fleet", fleetHead(SDK, "30 s"), "6")})
	pair("login", "succeeded", "bare SDK")
	pairs = append(pairs, [2]string{"1×", in.text("warm", "faster than the AWS CLI by", "the command: `awsauth process`")})
	pair("memory", "heap per session", SDK)
	const overBare = "over bare HTTP"
	pairs = append(pairs, [2]string{in.text("accounts", overBare, Ours, "50 ms", "1,000"), in.text("accounts", overBare, sharedSTS, "50 ms", "1,000")})
	pairs = append(pairs, [2]string{in.text("new", "ratio", "session", "profile"), "1×"})
	return pairs, in.err
}

// FillNumbers puts the numbers into the table of a README: into its second column ours,
// into its third the peer's.
func (r *Report) FillNumbers(readme string) (string, error) {
	pairs, err := r.numbers()
	if err != nil {
		return "", err
	}
	before, table, found := strings.Cut(readme, numbersMarker+"\n\n")
	if !found {
		return "", fmt.Errorf("there is no %s", numbersMarker)
	}
	lines := strings.Split(table, "\n")
	const heads = 2
	for i, pair := range pairs {
		cells := cellsOf(lines[min(i+heads, len(lines)-1)])
		if len(cells) != 4 {
			return "", fmt.Errorf("row %d of the table of numbers has %d cells", i+1, len(cells))
		}
		cells[1], cells[2] = pair[0], pair[1]
		lines[i+heads] = "| " + strings.Join(cells, " | ") + " |"
	}
	if len(lines) > len(pairs)+heads && strings.HasPrefix(lines[len(pairs)+heads], "|") {
		return "", fmt.Errorf("the table of numbers has more than %d rows", len(pairs))
	}
	return before + numbersMarker + "\n\n" + strings.Join(lines, "\n"), nil
}
