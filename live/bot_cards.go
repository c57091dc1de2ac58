package live

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// BotCard is how a visitor answers: one of the types whose names end in Card. The
// answer comes as the text of the next [BotMessage], or as one of a [BotContext].
//
// Source: [V] deluge-widgets-*.html and msazure-input-cards-*.html, which say that the
// cards are the same on all platforms.
type BotCard interface{ botPart }

// SelectCard offers options, one of which is the answer.
type SelectCard struct {
	Options []string `json:"options"` // 1 to 20, of 80 characters each.
}

// MultiSelectCard offers options, several of which are the answer, with commas between
// them.
type MultiSelectCard struct {
	Options      []string `json:"options"`                // 1 to 20, of 80 characters each.
	MaxSelection int      `json:"max_selection,omitzero"` // At least 2; any number if 0.
}

// DropDownCard offers many options, on the website and in apps. Whether the label or
// the value is the answer is not published.
type DropDownCard struct {
	Options      []DropDownOption `json:"options"` // 1 to 200.
	Placeholder  string           `json:"placeholder,omitzero"`
	Multiple     bool             `json:"multiple,omitzero"`
	SelectLabel  string           `json:"select_label,omitzero"`
	MinSelection int              `json:"min_selection,omitzero"`
	MaxSelection int              `json:"max_selection,omitzero"`
}

// DropDownOption is one of several in a [DropDownCard].
type DropDownOption struct {
	Value    string `json:"value"` // Required. At most 80 characters, as the label.
	Label    string `json:"label"` // Required.
	Selected bool   `json:"selected,omitzero"`
}

// SliderCard offers steps, one of which is the answer.
type SliderCard struct {
	Values []string `json:"values"` // 1 to 10, of 10 characters each.
}

// RangeSliderCard offers steps, and a range of them is the answer.
//
// Source: [V], but one page's table has the type of [SliderCard] for it.
type RangeSliderCard struct {
	Values []string `json:"values"` // 1 to 10, of 10 characters each.
}

// CalendarCard asks for a day.
type CalendarCard struct {
	From       CalendarDay `json:"from,omitzero"`
	To         CalendarDay `json:"to,omitzero"`
	WithTime   bool        `json:"time,omitzero"`        // It asks for a time, too.
	TimeFormat string      `json:"time_format,omitzero"` // Of 12 or 24 hours. How they are written was not seen.
	WithZone   bool        `json:"tz,omitzero"`          // It asks for a time zone, too.
	Label      string      `json:"label,omitzero"`

	SelectLabel string `json:"select_label,omitzero"` // Of 20 characters at most.
}

// RangeCalendarCard asks for a range of days.
type RangeCalendarCard CalendarCard

// CalendarDay is the first or the last day of a calendar. [CalendarDays] and
// [CalendarTime] make one.
type CalendarDay string

// CalendarDays is so many days from today, or before today if it is negative.
func CalendarDays(n int) CalendarDay { return CalendarDay(fmt.Sprintf("%+d", n)) }

// CalendarTime is the day of a time.
func CalendarTime(t time.Time) CalendarDay { return CalendarDay(strconv.FormatInt(t.UnixMilli(), 10)) }

// MarshalJSON returns days as a text, and a time as a number of milliseconds.
func (d CalendarDay) MarshalJSON() ([]byte, error) {
	if n, err := strconv.ParseInt(string(d), 10, 64); err == nil && d[0] != '+' && d[0] != '-' {
		return strconv.AppendInt(nil, n, 10), nil
	}
	return json.Marshal(string(d))
}

// TimeSlotsCard offers times of one day.
type TimeSlotsCard struct {
	Date     string   `json:"date"`         // As 31/12/2026. Required.
	Slots    []string `json:"slots"`        // As 09:30. Required.
	ZoneID   string   `json:"time_zone_id"` // Such as Europe/Paris. Required.
	WithZone bool     `json:"tz,omitzero"`  // It shows the time zone.
	Label    string   `json:"label,omitzero"`
}

// DateTimeSlotsCard offers times of several days.
type DateTimeSlotsCard struct {
	Slots    map[string][]string `json:"slots"`        // By days such as 31/12/2026, as 09:30. Required.
	Label    string              `json:"label"`        // Required.
	ZoneID   string              `json:"time_zone_id"` // Such as Europe/Paris. Required.
	WithZone bool                `json:"tz,omitzero"`
}

// LocationCard asks for a place, on the website, in apps, on WhatsApp and on LINE. The
// map begins where Lat and Lng say, or where the device is.
type LocationCard struct {
	Lat    *float64 `json:"lat,omitzero"`
	Lng    *float64 `json:"lng,omitzero"`
	Radius string   `json:"radius,omitzero"` // Such as "9 kms" or "9 miles", of 2 to 500.
	Label  string   `json:"label,omitzero"`

	SelectLabel string `json:"select_label,omitzero"` // Of 20 characters at most.
}

// EmailCard asks for an email address.
//
// Source: [V]; [I] that the answer is a text.
type EmailCard struct {
	Placeholder string   `json:"placeholder"` // Required.
	Value       string   `json:"value,omitzero"`
	Errors      []string `json:"error,omitzero"` // What is said about an answer that is none.
}

// PhoneCard asks for a phone number.
//
// Source: [V]; [I] that the answer is a text.
type PhoneCard struct {
	Placeholder string   `json:"placeholder"` // Required.
	Value       string   `json:"value,omitzero"`
	Errors      []string `json:"error,omitzero"`        // What is said about an answer that is none.
	CountryCode string   `json:"country_code,omitzero"` // Such as "+33".
}

// NameCard asks for a name.
//
// Source: [V]; [I] for the word of its type, and that the answer is a text.
type NameCard struct {
	Type        string   `json:"type"`        // "name" if it is empty.
	Placeholder string   `json:"placeholder"` // Required.
	Value       string   `json:"value,omitzero"`
	Errors      []string `json:"error,omitzero"` // What is said about an answer that is none.
}

// HappinessCard asks how content the visitor is. The answer is a name such as
// ":rating-happy:".
type HappinessCard struct {
	Level     int  `json:"level"` // 3 or 5.
	SetRating bool `json:"set_conversation_rating,omitzero"`
}

// StarsCard asks for a number of stars.
type StarsCard struct {
	Level int `json:"level"` // 3 to 10.
}

// LikeCard asks for a thumb: the answer is "like" or "dislike".
type LikeCard struct {
	SetRating bool `json:"set_conversation_rating,omitzero"` // Not of a transferred or missed conversation.
}

// FreeCard is an input card as it is on the wire, for what has no type here: a struct or
// map that is an object in JSON. Of its members, none is checked.
type FreeCard struct{ Value any }

func (c SelectCard) onWire() any        { return typed[SelectCard]{"select", c} }
func (c MultiSelectCard) onWire() any   { return typed[MultiSelectCard]{"multiple-select", c} }
func (c DropDownCard) onWire() any      { return typed[DropDownCard]{"drop-down", c} }
func (c SliderCard) onWire() any        { return typed[SliderCard]{"slider", c} }
func (c RangeSliderCard) onWire() any   { return typed[RangeSliderCard]{"range-slider", c} }
func (c CalendarCard) onWire() any      { return typed[CalendarCard]{"calendar", c} }
func (c RangeCalendarCard) onWire() any { return typed[RangeCalendarCard]{"range-calendar", c} }
func (c TimeSlotsCard) onWire() any     { return typed[TimeSlotsCard]{"timeslots", c} }
func (c DateTimeSlotsCard) onWire() any { return typed[DateTimeSlotsCard]{"date-timeslots", c} }
func (c LocationCard) onWire() any      { return typed[LocationCard]{"location", c} }
func (c EmailCard) onWire() any         { return typed[EmailCard]{"email", c} }
func (c PhoneCard) onWire() any         { return typed[PhoneCard]{"tel", c} }
func (c HappinessCard) onWire() any     { return typed[HappinessCard]{"happiness-rating", c} }
func (c StarsCard) onWire() any         { return typed[StarsCard]{"star-rating", c} }
func (c LikeCard) onWire() any          { return typed[LikeCard]{"like", c} }
func (c FreeCard) onWire() any          { return c.Value }

func (c NameCard) onWire() any {
	c.Type = cmp.Or(c.Type, "name")
	return c
}

// The limits of the cards.
const (
	maxOptions     = 20
	maxDropDown    = 200
	maxOptionText  = 80
	maxSteps       = 10
	maxStepText    = 10
	maxSelectLabel = 20
)

func (c SelectCard) check(at string) error {
	return checkOptions(at, c.Options)
}

func (c MultiSelectCard) check(at string) error {
	if c.MaxSelection != 0 && c.MaxSelection < 2 {
		return inputError("", at+".max_selection", fmt.Sprintf("must be at least 2, not %d", c.MaxSelection))
	}
	return checkOptions(at, c.Options)
}

func checkOptions(at string, options []string) error {
	if err := checkTexts(at+".options", options, 1, maxOptionText); err != nil {
		return err
	}
	return checkCount(at+".options", len(options), maxOptions)
}

func (c DropDownCard) check(at string) error {
	if len(c.Options) == 0 {
		return inputError("", at+".options", "is required")
	}
	if err := checkCount(at+".options", len(c.Options), maxDropDown); err != nil {
		return err
	}
	for i, option := range c.Options {
		inner := element(at+".options", i)
		if err := required(inner+".value", option.Value, inner+".label", option.Label); err != nil {
			return err
		}
		if err := checkLength(inner+".label", option.Label, maxOptionText); err != nil {
			return err
		}
		if err := checkLength(inner+".value", option.Value, maxOptionText); err != nil {
			return err
		}
	}
	switch {
	case c.MinSelection < 0:
		return inputError("", at+".min_selection", "must not be negative")
	case c.MaxSelection < 0:
		return inputError("", at+".max_selection", "must not be negative")
	case c.MaxSelection > 0 && c.MinSelection > c.MaxSelection:
		return inputError("", at+".min_selection", "must not be more than max_selection")
	}
	return nil
}

func (c SliderCard) check(at string) error { return checkSteps(at, c.Values) }

func (c RangeSliderCard) check(at string) error { return checkSteps(at, c.Values) }

func checkSteps(at string, values []string) error {
	if err := checkTexts(at+".values", values, 1, maxStepText); err != nil {
		return err
	}
	return checkCount(at+".values", len(values), maxSteps)
}

var (
	calendarDay = regexp.MustCompile(`^[+-]?\d{1,15}$`)
	slotDay     = "02/01/2006"
	slotTime    = "15:04"
	radius      = regexp.MustCompile(`^(\d{1,3}) (kms|miles)$`)
	countryCode = regexp.MustCompile(`^\+\d{1,4}$`)
)

func (c CalendarCard) check(at string) error {
	for name, day := range map[string]CalendarDay{".from": c.From, ".to": c.To} {
		if day != "" && !calendarDay.MatchString(string(day)) {
			return inputError("", at+name, "must be days such as +10, or milliseconds")
		}
	}
	return checkLength(at+".select_label", c.SelectLabel, maxSelectLabel)
}

func (c RangeCalendarCard) check(at string) error { return CalendarCard(c).check(at) }

func (c TimeSlotsCard) check(at string) error {
	if err := required(at+".date", c.Date, at+".time_zone_id", c.ZoneID); err != nil {
		return err
	}
	if err := checkFormat(at+".date", c.Date, slotDay, "a day such as 31/12/2026"); err != nil {
		return err
	}
	return checkSlots(at+".slots", c.Slots)
}

func (c DateTimeSlotsCard) check(at string) error {
	if err := required(at+".label", c.Label, at+".time_zone_id", c.ZoneID); err != nil {
		return err
	}
	if len(c.Slots) == 0 {
		return inputError("", at+".slots", "is required")
	}
	for day, slots := range c.Slots {
		field := at + ".slots[" + strconv.Quote(day) + "]"
		if err := checkFormat(field, day, slotDay, "of a day such as 31/12/2026"); err != nil {
			return err
		}
		if err := checkSlots(field, slots); err != nil {
			return err
		}
	}
	return nil
}

func checkSlots(field string, slots []string) error {
	if err := checkTexts(field, slots, 1, 0); err != nil {
		return err
	}
	for i, slot := range slots {
		if err := checkFormat(element(field, i), slot, slotTime, "a time such as 09:30"); err != nil {
			return err
		}
	}
	return nil
}

func (c LocationCard) check(at string) error {
	switch {
	case (c.Lat == nil) != (c.Lng == nil):
		return inputError("", at+".lat", "must stand beside lng")
	case c.Lat != nil && (*c.Lat < -90 || *c.Lat > 90):
		return inputError("", at+".lat", "must be from -90 to 90")
	case c.Lng != nil && (*c.Lng < -180 || *c.Lng > 180):
		return inputError("", at+".lng", "must be from -180 to 180")
	}
	if c.Radius != "" {
		parts := radius.FindStringSubmatch(c.Radius)
		n := 0
		if parts != nil {
			n, _ = strconv.Atoi(parts[1]) //nolint:errcheck // They are digits.
		}
		if n < 2 || n > 500 {
			return inputError("", at+".radius", "must be 2 to 500 kms or miles, such as 9 kms")
		}
	}
	return checkLength(at+".select_label", c.SelectLabel, maxSelectLabel)
}

func (c EmailCard) check(at string) error { return checkTyped(at, c.Placeholder, c.Errors) }

func (c NameCard) check(at string) error { return checkTyped(at, c.Placeholder, c.Errors) }

func (c PhoneCard) check(at string) error {
	if c.CountryCode != "" && !countryCode.MatchString(c.CountryCode) {
		return inputError("", at+".country_code", "must be a code such as +33")
	}
	return checkTyped(at, c.Placeholder, c.Errors)
}

// checkTyped checks a card whose answer is typed.
func checkTyped(at, placeholder string, errors []string) error {
	if err := required(at+".placeholder", placeholder); err != nil {
		return err
	}
	return checkTexts(at+".error", errors, 0, 0)
}

func (c HappinessCard) check(at string) error {
	if c.Level != 3 && c.Level != 5 {
		return inputError("", at+".level", fmt.Sprintf("must be 3 or 5, not %d", c.Level))
	}
	return nil
}

func (c StarsCard) check(at string) error {
	if c.Level < 3 || c.Level > 10 {
		return inputError("", at+".level", fmt.Sprintf("must be from 3 to 10, not %d", c.Level))
	}
	return nil
}

func (c LikeCard) check(string) error { return nil }

func (c FreeCard) check(at string) error { return checkFree(at, c.Value) }
