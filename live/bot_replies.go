package live

import (
	"cmp"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// BotReply is a message of a bot: [TextReply], [ImageReply], [FileReply],
// [ArticlesReply], [LinksReply], [VideoReply], [ProductReply], [ProductsReply],
// [DelayReply], or a [FreeReply] for any other.
type BotReply interface{ botPart }

// botPart is a part of an answer.
type botPart interface {
	onWire() any
	check(at string) error // At is the path to the part.
}

// TextReply is a text.
//
// With a FieldName, what the visitor answers is kept as that: "siq_name", "siq_email",
// "siq_phone" of the visitor, or "siq_" before a name of custom information.
//
// Source: [V] zobot-webhook-request-response-format.html, deluge-widgets-*.html.
type TextReply struct {
	Text      string         `json:"text"` // Required.
	Icon      string         `json:"icon,omitzero"`
	FieldName string         `json:"field_name,omitzero"`
	Validate  map[string]any `json:"validate,omitzero"` // Such as {"format": "email"}.
}

// ImageReply is a picture, with a text unless that is empty.
//
// Source: [V] zobot-webhook-request-response-format.html.
type ImageReply struct {
	Text  string `json:"text,omitzero"`
	Image string `json:"image"` // Its URL. Required.
}

// FileReply is a file, which the service fetches from its URL. It is shown on the website
// and in apps.
//
// Source: [V] deluge-widgets-attachments-siqscripts-2.0.html. Headers are "headers" by
// its sample, as here, and "header" by its table.
type FileReply struct {
	Text string `json:"text"` // Required.
	URL  string `json:"url"`  // Required.

	// Headers are sent with the request for the file, such as Authorization.
	Headers map[string]salesiq.Secret `json:"headers,omitzero"`
}

// ArticlesReply are articles of the knowledge base; see [ArticlesService].
//
// Source: [V] deluge-widgets-articles.html.
type ArticlesReply struct {
	Text        string   `json:"text,omitzero"`
	Image       string   `json:"image,omitzero"`
	Description string   `json:"description,omitzero"`
	Articles    []string `json:"articles"` // Their ids. Required.
}

// LinksReply are links.
//
// Source: [V] deluge-widgets-links.html.
type LinksReply struct {
	Text  string    `json:"text,omitzero"`
	Image string    `json:"image,omitzero"`
	Links []BotLink `json:"links"` // Required.
}

// BotLink is one of several links.
type BotLink struct {
	URL  string `json:"url"` // Required.
	Text string `json:"text,omitzero"`
	Icon string `json:"icon,omitzero"`
}

// VideoReply is a video: one of YouTube, or a file in the format MP4.
//
// Source: [V] deluge-widgets-video.html.
type VideoReply struct {
	Text string `json:"text"` // Required.
	URL  string `json:"url"`  // Required.

	// URLs, for files alone.
	Subtitles string `json:"subtitles,omitzero"`
	Thumbnail string `json:"thumbnail,omitzero"`
}

// ProductReply is one product with several pictures.
//
// Source: [V] deluge-widgets-single-product.html; [I] for the word of its type.
type ProductReply struct {
	Type     string       `json:"type"` // "single-product" if it is empty.
	Text     string       `json:"text"` // Required.
	Title    string       `json:"title"`
	Subtitle string       `json:"subtitle,omitzero"`
	Elements []BotPicture `json:"elements,omitzero"`
	Actions  []BotButton  `json:"actions,omitzero"`
}

// BotPicture is a picture of a product.
type BotPicture struct {
	ID    string `json:"id"`
	Image string `json:"image"` // Its URL. Required.
}

// ProductsReply are several products.
//
// Source: [V] deluge-widgets-multiple-product.html; [I] for the word of its type.
type ProductsReply struct {
	Type     string       `json:"type"` // "multiple-product" if it is empty.
	Text     string       `json:"text,omitzero"`
	Elements []BotProduct `json:"elements"` // Required.
}

// BotProduct is one of several products.
type BotProduct struct {
	ID       string      `json:"id"`
	Title    string      `json:"title"`
	Subtitle string      `json:"subtitle,omitzero"`
	Image    string      `json:"image,omitzero"`
	Actions  []BotButton `json:"actions,omitzero"`
}

// BotButton is a button of a product. It opens a link, or calls a func of the page: the
// bot does not hear of it. Which func that is, the widget calls
// $zoho.salesiq.clientactions followed by ClientAction.
//
// Source: [V] deluge-widgets-single-product.html, actions.
type BotButton struct {
	Label        string // Required.
	Name         string // Required; that of one button only.
	Link         string // A URL.
	ClientAction string
}

// DelayReply shows texts while a later reply takes its time.
//
// Source: [V] deluge-object-reference.html, delay_config.
type DelayReply struct {
	Messages []string        // Required.
	Order    BotDelayOrder   // DelayAll if it is empty.
	Time     salesiq.Seconds // How long it takes; what the service takes for it if 0.
}

// BotDelayOrder is which of the messages of a [DelayReply] are shown.
type BotDelayOrder string

// The orders of the vendor's pages. [V].
const (
	DelayAll    BotDelayOrder = "all"
	DelayRandom BotDelayOrder = "random"
)

// FreeReply is a reply as it is on the wire, for what has no type here: a struct or map
// that is an object in JSON. Of its members, none is checked.
type FreeReply struct{ Value any }

// typed is a reply or a card with the word for its type.
type typed[T any] struct {
	Type string `json:"type"`
	Part T      `json:",embed"`
}

func (r TextReply) onWire() any {
	if r.isBare() {
		return r.Text
	}
	return r
}

// isBare reports whether r is nothing but a text, which is no object on the wire.
func (r TextReply) isBare() bool { return r.Icon == "" && r.FieldName == "" && r.Validate == nil }

func (r ImageReply) onWire() any    { return r }
func (r FileReply) onWire() any     { return typed[FileReply]{"file", r} }
func (r ArticlesReply) onWire() any { return typed[ArticlesReply]{"articles", r} }
func (r LinksReply) onWire() any    { return typed[LinksReply]{"links", r} }
func (r VideoReply) onWire() any    { return typed[VideoReply]{"video", r} }
func (r FreeReply) onWire() any     { return r.Value }

func (r ProductReply) onWire() any {
	r.Type = cmp.Or(r.Type, "single-product")
	return r
}

func (r ProductsReply) onWire() any {
	r.Type = cmp.Or(r.Type, "multiple-product")
	return r
}

func (r DelayReply) onWire() any {
	r.Order = cmp.Or(r.Order, DelayAll)
	return map[string]any{"delay_config": struct {
		Enabled  bool            `json:"enabled"`
		Messages []string        `json:"info_messages"`
		Order    BotDelayOrder   `json:"type"`
		Time     salesiq.Seconds `json:"time,omitzero"`
	}{true, r.Messages, r.Order, r.Time}}
}

// MarshalJSON writes what the button does as its type.
func (b BotButton) MarshalJSON() ([]byte, error) {
	kind := "url"
	if b.ClientAction != "" {
		kind = "client_action"
	}
	return wire.MarshalPublic(struct {
		Label        string `json:"label"`
		Name         string `json:"name"`
		Type         string `json:"type"`
		Link         string `json:"link,omitzero"`
		ClientAction string `json:"clientaction_name,omitzero"`
	}{b.Label, b.Name, kind, b.Link, b.ClientAction})
}

func (r TextReply) check(at string) error {
	if !r.isBare() {
		at += ".text"
	}
	return required(at, r.Text)
}

func (r ImageReply) check(at string) error { return checkURL(at+".image", r.Image) }

func (r FileReply) check(at string) error {
	if err := required(at+".text", r.Text); err != nil {
		return err
	}
	return checkURL(at+".url", r.URL)
}

func (r ArticlesReply) check(at string) error { return checkTexts(at+".articles", r.Articles, 1, 0) }

func (r LinksReply) check(at string) error {
	if len(r.Links) == 0 {
		return inputError("", at+".links", "is required")
	}
	for i, link := range r.Links {
		if err := checkLink(element(at+".links", i)+".url", link.URL); err != nil {
			return err
		}
	}
	return nil
}

func (r VideoReply) check(at string) error {
	if err := required(at+".text", r.Text); err != nil {
		return err
	}
	return checkURL(at+".url", r.URL)
}

func (r ProductReply) check(at string) error {
	if err := required(at+".text", r.Text, at+".title", r.Title); err != nil {
		return err
	}
	for i, picture := range r.Elements {
		if err := checkURL(element(at+".elements", i)+".image", picture.Image); err != nil {
			return err
		}
	}
	return checkButtons(at, r.Actions)
}

func (r ProductsReply) check(at string) error {
	if len(r.Elements) == 0 {
		return inputError("", at+".elements", "is required")
	}
	for i, product := range r.Elements {
		inner := element(at+".elements", i)
		if err := required(inner+".id", product.ID, inner+".title", product.Title); err != nil {
			return err
		}
		if err := checkButtons(inner, product.Actions); err != nil {
			return err
		}
	}
	return nil
}

func (r DelayReply) check(at string) error {
	at += ".delay_config"
	if r.Order != "" && r.Order != DelayAll && r.Order != DelayRandom {
		return inputError("", at+".type", "must be all or random")
	}
	if r.Time < 0 {
		return inputError("", at+".time", "must not be negative")
	}
	return checkTexts(at+".info_messages", r.Messages, 1, 0)
}

func (r FreeReply) check(at string) error { return checkFree(at, r.Value) }

func checkButtons(at string, buttons []BotButton) error {
	names := map[string]bool{}
	for i, button := range buttons {
		inner := element(at+".actions", i)
		if err := required(inner+".label", button.Label, inner+".name", button.Name); err != nil {
			return err
		}
		if names[button.Name] {
			return inputError("", inner+".name", "must be that of one button only")
		}
		names[button.Name] = true
		switch {
		case button.Link != "" && button.ClientAction != "":
			return inputError("", inner+".link", "must not stand beside a client action")
		case button.ClientAction != "":
		default:
			if err := checkLink(inner+".link", button.Link); err != nil {
				return err
			}
		}
	}
	return nil
}
