package bench

import (
	"bytes"
	"fmt"
	"html"
	"strings"
	"time"
)

// canvas collects the elements of an SVG.
type canvas struct {
	b      bytes.Buffer
	head   string
	bottom float64 // of what is drawn so far
}

// style is readable on GitHub's light page and on its dark one: the picture
// brings its background with it.
const style = `text{font-family:-apple-system,BlinkMacSystemFont,"Segoe UI","Noto Sans","DejaVu Sans",Helvetica,Arial,sans-serif;fill:#1f2328}
.page{fill:#fff;stroke:#d1d9e0}.head{font-size:20px;font-weight:600}.title{font-size:17px;font-weight:600}.label{font-size:16px}.small{font-size:15.5px;fill:#59636e}
.grid{stroke:#d1d9e0;stroke-width:1;stroke-dasharray:2 3}.axis{stroke:#818b98;stroke-width:1}.outage{fill:#818b98;fill-opacity:.16}
.late{fill:#bc4c00;stroke:#bc4c00}.failed{fill:#d1242f;stroke:#d1242f}.good{fill:#1a7f37;stroke:#1a7f37}.sts{stroke:#0969da;fill:#0969da}path.late,path.good{stroke-width:.8;stroke-linejoin:round;fill-opacity:.55}
@media (prefers-color-scheme:dark){text{fill:#f0f6fc}.page{fill:#0d1117;stroke:#3d444d}.small{fill:#9198a1}.grid{stroke:#3d444d}.axis{stroke:#656c76}
.late{fill:#f0883e;stroke:#f0883e}.failed{fill:#ff7b72;stroke:#ff7b72}.good{fill:#3fb950;stroke:#3fb950}.sts{stroke:#58a6ff;fill:#58a6ff}}`

// newCanvas has the title, and below it each paragraph.
func newCanvas(title string, paragraphs ...string) *canvas {
	c := &canvas{bottom: 58, head: fmt.Sprintf("<title>%s</title>\n<desc>%s</desc>\n<style>%s</style>\n",
		html.EscapeString(title), html.EscapeString(strings.Join(paragraphs, " ")), style)}
	c.text(20, 32, "head", "start", title)
	for _, p := range paragraphs {
		c.bottom += c.wrap(20, c.bottom, "small", p) + 6
	}
	return c
}

// svg is the picture, as high as what was drawn.
func (c *canvas) svg() []byte {
	height := int(c.bottom)
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`+"\n%s", pageWidth, height, pageWidth, height, c.head)
	fmt.Fprintf(&b, `<rect class="page" x="0.5" y="0.5" width="%d" height="%d" rx="6"/>`+"\n", pageWidth-1, height-1)
	b.Write(c.b.Bytes())
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// wrap writes a paragraph in lines that fit the page, and returns how high it is. SVG
// does not break lines.
func (c *canvas) wrap(x, y float64, class, text string) float64 {
	const most, leading = 61, 20 // characters, pixels
	lines := []string{""}
	for word := range strings.FieldsSeq(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case len(*last)+1+len(word) <= most:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	for i, line := range lines {
		c.text(x, y+leading*float64(i), class, "start", line)
	}
	return leading * float64(len(lines))
}

func (c *canvas) text(x, y float64, class, anchor, text string) {
	fmt.Fprintf(&c.b, `<text class="%s" x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", class, x, y, anchor, html.EscapeString(text))
}

// turned writes along the vertical axis.
func (c *canvas) turned(x, y float64, text string) {
	fmt.Fprintf(&c.b, `<text class="small" transform="translate(%.1f %.1f) rotate(-90)" text-anchor="middle">%s</text>`+"\n", x, y, html.EscapeString(text))
}

func (c *canvas) line(x1, y1, x2, y2 float64, class string) {
	fmt.Fprintf(&c.b, `<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", class, x1, y1, x2, y2)
}

func (c *canvas) rect(x, y, width, height float64, class string) {
	fmt.Fprintf(&c.b, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`+"\n", class, x, y, width, height)
}

// bars draws each column from the floor up to its longest wait.
func (c *canvas) bars(all []column, floor, ceiling float64, y func(time.Duration) float64, class string) {
	if len(all) == 0 {
		return
	}
	var path strings.Builder
	for _, bar := range all {
		fmt.Fprintf(&path, "M%.1f %.1fV%.1f", bar.x+0.5, floor, ceiling+y(bar.most))
	}
	fmt.Fprintf(&c.b, `<path class="%s" style="stroke-width:1.6" d="%s"/>`+"\n", class, path.String())
}

// ticks marks moments below the axis, one to a pixel.
func (c *canvas) ticks(moments []time.Duration, x func(time.Duration) float64, y, length float64, class string) {
	var path strings.Builder
	last := -1
	for _, at := range moments {
		if i := int(x(at)); i != last {
			fmt.Fprintf(&path, "M%.1f %.1fv%.0f", float64(i)+0.5, y, length)
			last = i
		}
	}
	fmt.Fprintf(&c.b, `<path class="%s" style="stroke-width:1.6" d="%s"/>`+"\n", class, path.String())
}

// legend is pairs of a class and what it means.
func (c *canvas) legend(x, y float64, pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		c.rect(x, y-11, 11, 11, pairs[i])
		c.text(x+17, y, "small", "start", pairs[i+1])
		x += 34 + 7.6*float64(len(pairs[i+1]))
	}
}
