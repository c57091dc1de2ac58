package main

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"

	"github.com/go-analyze/charts"
)

//go:embed page.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// panel is a chart with its heading. A chart is drawn twice, since one that is
// scaled down to a phone could not be read.
type panel struct {
	Title         string
	Wide          bool
	Chart, Narrow template.HTML // SVG.
	Empty         bool
}

// writeHTML writes a page that holds everything that it shows.
func writeHTML(out io.Writer, r *report) error {
	panels := []panel{{Title: "Chats by day", Wide: true}, {Title: "Chats by status"}, {Title: "Ratings"}, {Title: "Chats by department"}, {Title: "Chats by operator"}}
	draw := []func(size size, groups []groupCount) ([]byte, error){drawDays, drawShares, drawBars, drawBars, drawBars}
	groups := [][]groupCount{r.ByDay, r.ByStatus, r.ByRating, r.ByDepartment, r.ByOperator}
	for i := range panels {
		p := &panels[i]
		if r.Chats == 0 || len(groups[i]) == 0 {
			p.Empty = true
			continue
		}
		broad := half
		if p.Wide {
			broad = full
		}
		for size, chart := range map[size]*template.HTML{broad: &p.Chart, phone: &p.Narrow} {
			svg, err := draw[i](size, groups[i])
			if err != nil {
				return fmt.Errorf("%s: %w", p.Title, err)
			}
			*chart = template.HTML(svg) //nolint:gosec // The library escapes names.
		}
	}
	return pageTemplate.Execute(out, map[string]any{
		"Period": r.period(), "Figures": r.figures(), "Panels": panels, "Sections": r.sections(),
	})
}

// theme has the colors of the page.
var theme = charts.GetTheme(charts.ThemeLight).
	WithBackgroundColor(charts.ColorTransparent).
	WithSeriesColors([]charts.Color{
		charts.ParseColor("#2563eb"), charts.ParseColor("#f59e0b"), charts.ParseColor("#10b981"),
		charts.ParseColor("#ef4444"), charts.ParseColor("#8b5cf6"),
	})

// size is how large a chart is drawn: close to how large it is seen, so that its
// labels are as large as other text.
type size struct{ width, days, name int } // In pixels; how many days and letters of a name have room.

var (
	full  = size{width: 1000, days: 16}
	half  = size{width: 520, name: 24}
	phone = size{width: 320, days: 5, name: 16}
)

const labelSize = 10

func painter(width, height int) *charts.Painter {
	return charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: width, Height: height, Theme: theme})
}

// labels are names of at most so many letters.
func labels(groups []groupCount, longest int) (texts []string) {
	for _, g := range groups {
		name := []rune(g.Name)
		if len(name) > longest {
			name = append(name[:longest-1], '…')
		}
		texts = append(texts, string(name))
	}
	return texts
}

func values(groups []groupCount) (counts []float64) {
	for _, g := range groups {
		counts = append(counts, float64(g.Chats))
	}
	return counts
}

func whole(v float64) string { return grouped(int(math.Round(v))) }

// everyFew leaves out what there is no room for.
func everyFew(texts []string, room int) []string {
	step := (len(texts) + room - 1) / room
	for i := range texts {
		if i%step != 0 || step > 1 && i == len(texts)-1 {
			texts[i] = ""
		}
	}
	return texts
}

// dayLength is the letters of "30 Nov".
const dayLength = 6

// drawDays draws one column a day.
func drawDays(size size, groups []groupCount) ([]byte, error) {
	p := painter(size.width, 220)
	opt := charts.NewBarChartOptionWithData([][]float64{values(groups)})
	opt.Theme = theme
	opt.ValueFormatter = whole
	opt.CategoryAxis.Labels = everyFew(labels(groups, dayLength), size.days)
	opt.CategoryAxis.LabelCount = len(groups)
	opt.CategoryAxis.BoundaryGap = new(true) // Names stand below the middle of their columns.
	opt.CategoryAxis.LabelFontStyle = charts.NewFontStyleWithSize(labelSize)
	opt.ValueAxis[0].Min = new(0.0)
	opt.ValueAxis[0].Max = new(roundTop(values(groups)))
	opt.ValueAxis[0].LabelCount = axisSteps + 1
	opt.ValueAxis[0].LabelFontStyle = charts.NewFontStyleWithSize(labelSize)
	opt.Legend.Show = new(false)
	if err := p.BarChart(opt); err != nil {
		return nil, err
	}
	return p.Bytes()
}

// axisSteps is how many equal parts the axis of values has.
const axisSteps = 4

// roundTop returns an end of the axis whose parts are round numbers.
func roundTop(values []float64) float64 {
	part := max(1, slices.Max(values)/axisSteps)
	round := max(1, math.Pow10(int(math.Log10(part)))/2)
	return axisSteps * round * math.Ceil(part/round)
}

// drawBars draws one bar for each group, the largest on top.
func drawBars(size size, groups []groupCount) ([]byte, error) {
	reversed := make([]groupCount, len(groups)) // The library begins at the bottom.
	for i, g := range groups {
		reversed[len(groups)-1-i] = g
	}
	p := painter(size.width, 50+26*len(groups))
	opt := charts.NewBarChartOptionWithData([][]float64{values(reversed)})
	opt.Theme = theme
	opt.Horizontal = true
	opt.ValueFormatter = whole
	opt.CategoryAxis.Labels = labels(reversed, size.name)
	opt.CategoryAxis.LabelFontStyle = charts.NewFontStyleWithSize(labelSize)
	opt.ValueAxis[0].Min = new(0.0)
	opt.ValueAxis[0].Max = new(1.2 * slices.Max(values(groups))) // With room for the longest bar's number.
	opt.CategoryAxis.LabelOffset = charts.OffsetInt{Left: -6}
	opt.ValueAxis[0].Show = new(false) // Each bar has its number.
	opt.SeriesList[0].Label.Show = new(true)
	opt.Legend.Show = new(false)
	if err := p.BarChart(opt); err != nil {
		return nil, err
	}
	return p.Bytes()
}

// drawShares draws a ring with the total in its middle, and the shares below it.
func drawShares(size size, groups []groupCount) ([]byte, error) {
	p := painter(size.width, 260)
	opt := charts.NewDoughnutChartOptionWithData(values(groups))
	opt.Theme = theme
	opt.ValueFormatter = whole
	opt.CenterValues = "sum"
	opt.CenterValuesFontStyle = charts.NewFontStyleWithSize(20)
	opt.RadiusRing, opt.RadiusCenter = "50%", "33%"
	for i := range opt.SeriesList {
		opt.SeriesList[i].Label.Show = new(false)
	}
	opt.Legend.SeriesNames = shares(groups)
	opt.Legend.Offset = charts.OffsetStr{Left: charts.PositionCenter, Top: charts.PositionBottom}
	opt.Legend.FontStyle = charts.NewFontStyleWithSize(labelSize)
	if err := p.DoughnutChart(opt); err != nil {
		return nil, err
	}
	return p.Bytes()
}

// shares are names with their parts of all chats.
func shares(groups []groupCount) (texts []string) {
	total := 0
	for _, g := range groups {
		total += g.Chats
	}
	for _, g := range groups {
		percent := math.Round(100 * float64(g.Chats) / float64(total))
		if percent == 0 {
			texts = append(texts, g.Name+" <1%")
			continue
		}
		texts = append(texts, fmt.Sprintf("%s %.0f%%", g.Name, percent))
	}
	return texts
}
