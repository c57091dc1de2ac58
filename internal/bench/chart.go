package main

import (
	"bytes"
	"fmt"
	"html"
	"strings"
)

// The measures of the chart, in pixels.
const (
	chartWidth = 840
	labelWidth = 330
	barHeight  = 20
	barGap     = 6
	panelHead  = 44
	panelGap   = 26
	margin     = 16
	valueWidth = 60
)

// chart draws the processor time of both calls as bars, beside hand-written code.
func (r *report) chart() []byte {
	panels := []*raceResult{r.find(listCanned), r.find(chatCanned)}
	height := margin
	for _, panel := range panels {
		height += panelHead + len(panel.Results)*(barHeight+barGap) + panelGap
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="13">`+"\n",
		chartWidth, height)
	fmt.Fprintf(&b, `<title>Processor time of a call with %s, beside hand-written code; less is better</title>`+"\n", r.Version)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" rx="8" fill="#ffffff"/>`+"\n", chartWidth, height)
	top := margin
	for _, panel := range panels {
		top = panel.draw(&b, top)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// draw draws the bars of a race and returns where they end.
func (r *raceResult) draw(b *bytes.Buffer, top int) int {
	title, _, _ := strings.Cut(r.Title, ":")
	fmt.Fprintf(b, `<text x="%d" y="%d" font-size="15" font-weight="600" fill="#1b1f24">%s</text>`+"\n", margin, top+16, html.EscapeString(title))
	fmt.Fprintf(b, `<text x="%d" y="%d" fill="#59636e">processor time beside the first; less is better</text>`+"\n", margin, top+34)
	top += panelHead
	longest := 0.0
	for _, row := range r.Results {
		longest = max(longest, row.Load.Median)
	}
	scale := float64(chartWidth-labelWidth-valueWidth-2*margin) / longest
	for _, row := range r.Results {
		row.draw(b, top, int(row.Load.Median*scale))
		top += barHeight + barGap
	}
	return top + panelGap
}

func (row result) draw(b *bytes.Buffer, top, width int) {
	color, weight := "#9aa7b4", "400"
	if row.Name == ours {
		color, weight = "#1f6feb", "700"
	}
	const left = margin + labelWidth
	middle := top + barHeight - 5
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end" font-weight="%s" fill="#1b1f24">%s</text>`,
		left-8, middle, weight, html.EscapeString(strings.Trim(row.Name, "*")))
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" rx="3" fill="%s"/>`, left, top, width, barHeight, color)
	fmt.Fprintf(b, `<text x="%d" y="%d" font-weight="%s" fill="#1b1f24">%.2f</text>`+"\n", left+width+6, middle, weight, row.Load.Median)
}
