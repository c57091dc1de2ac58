package main

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"

	"github.com/go-analyze/charts"
)

//go:embed page.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// panel is a chart with its heading.
type panel struct {
	Title string
	Wide  bool
	Chart template.HTML // SVG.
	Empty bool
}

// writeHTML writes a page that holds everything that it shows.
func writeHTML(out io.Writer, r *report) error {
	panels := []panel{{Title: "Chats by day", Wide: true}, {Title: "Chats by status"}, {Title: "Ratings"}, {Title: "Chats by department"}, {Title: "Chats by operator"}}
	draw := []func() ([]byte, error){
		func() ([]byte, error) { return drawDays(r.ByDay) },
		func() ([]byte, error) { return drawShares(r.ByStatus) },
		func() ([]byte, error) { return drawBars(r.ByRating) },
		func() ([]byte, error) { return drawBars(r.ByDepartment) },
		func() ([]byte, error) { return drawBars(r.ByOperator) },
	}
	groups := [][]groupCount{r.ByDay, r.ByStatus, r.ByRating, r.ByDepartment, r.ByOperator}
	for i := range panels {
		if r.Chats == 0 || len(groups[i]) == 0 {
			panels[i].Empty = true
			continue
		}
		svg, err := draw[i]()
		if err != nil {
			return fmt.Errorf("%s: %w", panels[i].Title, err)
		}
		panels[i].Chart = template.HTML(svg) //nolint:gosec // The library escapes names.
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

const (
	chartWidth = 560
	wideWidth  = 1160
	labelSize  = 11
)

func painter(width, height int) *charts.Painter {
	return charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: width, Height: height, Theme: theme})
}

// labels are names that fit beside a bar.
func labels(groups []groupCount) (texts []string) {
	const longest = 24
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

func whole(v float64) string { return strconv.Itoa(int(math.Round(v))) }

// everyFew leaves out what there is no room for.
func everyFew(texts []string) []string {
	const room = 16
	step := (len(texts) + room - 1) / room
	for i := range texts {
		if i%step != 0 || step > 1 && i == len(texts)-1 {
			texts[i] = ""
		}
	}
	return texts
}

// drawDays draws one column a day.
func drawDays(groups []groupCount) ([]byte, error) {
	p := painter(wideWidth, 260)
	opt := charts.NewBarChartOptionWithData([][]float64{values(groups)})
	opt.Theme = theme
	opt.ValueFormatter = whole
	opt.CategoryAxis.Labels = everyFew(labels(groups))
	opt.CategoryAxis.LabelCount = len(groups)
	opt.CategoryAxis.BoundaryGap = new(true) // Names stand below the middle of their columns.
	opt.CategoryAxis.LabelFontStyle = charts.NewFontStyleWithSize(labelSize)
	opt.ValueAxis[0].Min = new(0.0)
	opt.ValueAxis[0].LabelCount = 5
	opt.ValueAxis[0].LabelFontStyle = charts.NewFontStyleWithSize(labelSize)
	opt.Legend.Show = new(false)
	if err := p.BarChart(opt); err != nil {
		return nil, err
	}
	return p.Bytes()
}

// drawBars draws one bar for each group, the largest on top.
func drawBars(groups []groupCount) ([]byte, error) {
	reversed := make([]groupCount, len(groups)) // The library begins at the bottom.
	for i, g := range groups {
		reversed[len(groups)-1-i] = g
	}
	p := painter(chartWidth, 50+26*len(groups))
	opt := charts.NewBarChartOptionWithData([][]float64{values(reversed)})
	opt.Theme = theme
	opt.Horizontal = true
	opt.ValueFormatter = whole
	opt.CategoryAxis.Labels = labels(reversed)
	opt.CategoryAxis.LabelFontStyle = charts.NewFontStyleWithSize(labelSize)
	opt.ValueAxis[0].Min = new(0.0)
	opt.CategoryAxis.LabelOffset = charts.OffsetInt{Left: -6}
	opt.ValueAxis[0].Show = new(false) // Each bar has its number.
	opt.SeriesList[0].Label.Show = new(true)
	opt.Legend.Show = new(false)
	if err := p.BarChart(opt); err != nil {
		return nil, err
	}
	return p.Bytes()
}

// drawShares draws a ring with the total in its middle.
func drawShares(groups []groupCount) ([]byte, error) {
	p := painter(chartWidth, 260)
	opt := charts.NewDoughnutChartOptionWithData(values(groups))
	opt.Theme = theme
	opt.ValueFormatter = whole
	opt.CenterValues = "sum"
	opt.CenterValuesFontStyle = charts.NewFontStyleWithSize(20)
	opt.RadiusRing, opt.RadiusCenter = "46%", "30%"
	opt.Legend.SeriesNames = labels(groups)
	opt.Legend.Show = new(false)
	if err := p.DoughnutChart(opt); err != nil {
		return nil, err
	}
	return p.Bytes()
}
