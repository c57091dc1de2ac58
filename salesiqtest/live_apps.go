package salesiqtest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
)

// appFields are what calls set of an app.
var appFields = []field{
	{name: "name", read: anyText},
	{name: "enabled", read: aFlag},
	{name: "privacy", read: aFlag},
	{name: "business_hours", read: aFlag},
	{name: "description", read: parts()},
	{name: "departments", read: listOf(theDepartments.id)},
	{name: "waiting_time", read: waitingTime},
	{name: "language", read: anyText},
	{name: "mail_transcript", read: aFlag},
	{name: "share_file", read: aFlag},
	{name: "show_emojis", read: aFlag},
	{name: "share_screen", read: aFlag},
	{name: "view_conversation", read: aFlag},
}

func waitingTime(c *call, name string, before any, value json.RawMessage) (any, error) {
	seconds, err := countText(c, name, before, value)
	if err == nil && !slices.Contains([]any{"30", "45", "60", "90", "120"}, seconds) {
		err = invalid(name, "must be one of 30, 45, 60, 90, 120")
	}
	return seconds, err
}

// liveApp is a brand as the live service writes an app.
func (s *state) liveApp(brand *salesiq.Brand) object {
	app := object{
		"privacy": false, "business_hours": false, "reply_time": "60", "waiting_time": "60", "description": object{"default": ""},
		"created_time": millis(brand.CreatedAt), "modified_time": millis(brand.CreatedAt),
	}
	maps.Copy(app, s.overlays[brand.ID])
	maps.Copy(app, object{
		"id": brand.ID, "name": brand.Name, "unique_name": strings.ToLower(strings.ReplaceAll(brand.Name, " ", "")),
		"enabled": brand.Status == salesiq.BrandActive, "logo_url": brand.Logo, "creator": s.owner(),
		"channels": object{
			"website": appChannel(true, "chat", "faq", "proactive"), "emailsignature": appChannel(false),
			"android": s.channelOf(brand.ID, "android"), "ios": s.channelOf(brand.ID, "ios"),
		},
	})
	return app
}

// appChannel tells what works on a channel.
func appChannel(enabled bool, components ...any) object {
	channel := object{"enabled": enabled}
	for _, name := range mobileComponents {
		channel[name] = 0
		if slices.Contains(components, any(name)) {
			channel[name] = 1
		}
	}
	return channel
}

// channelOf is a mobile channel in short.
func (s *state) channelOf(appID, kind string) object {
	channel := s.singles[channelAt(appID, kind)]
	enabled, _ := channel["enabled"].(bool)
	components, _ := channel["components"].([]any)
	return appChannel(enabled, components...)
}

func listApps(c *call) (any, error) {
	var apps []object
	for brand := range c.brands.all() {
		apps = append(apps, c.liveApp(brand))
	}
	apps = c.changedSince(apps)
	return window(c, apps, 0, len(apps), nil)
}

// changedSince leaves out what has not changed since last_sync_time. A page has it
// in seconds.
func (c *call) changedSince(items []object) []object {
	since := c.query.milli("last_sync_time")
	if since.IsZero() {
		return items
	}
	if since.Year() < 1980 {
		since = time.Unix(since.UnixMilli(), 0)
	}
	return slices.DeleteFunc(items, func(item object) bool { return numberIn(item, "modified_time") < since.UnixMilli() })
}

func createApp(c *call) (any, error) {
	brand := &salesiq.Brand{
		ID: c.newID("brand"), Name: "New app", Language: "en", Timezone: "UTC", Status: salesiq.BrandActive,
		Departments: []salesiq.Department{}, CreatedAt: c.now,
	}
	brand.Logo = livePath + "/downloads/" + brand.ID + "?purpose=logo"
	if err := c.changeApp(brand, object{"id": ""}); err != nil {
		return nil, err
	}
	c.brands.put(brand.ID, brand)
	return brand, nil
}

func updateApp(c *call) (any, error) {
	brand, err := c.brands.find(c.id)
	if err != nil {
		return nil, err
	}
	return brand, c.changeApp(brand, c.liveApp(brand))
}

// changeApp takes over what a body says about an app.
func (c *call) changeApp(brand *salesiq.Brand, shown object) error {
	before := object{"name": brand.Name, "enabled": brand.Status == salesiq.BrandActive}
	maps.Copy(before, c.overlays[brand.ID])
	after, err := c.amend(before, shown, appFields, c.body, "")
	if err != nil {
		return err
	}
	if after["name"] == "" {
		return missing("name")
	}
	brand.Name, _ = after["name"].(string)
	if language, set := after["language"].(string); set {
		brand.Language = language
	}
	if ids, set := after["departments"].([]any); set {
		c.placeDepartments(brand, ids)
	}
	delete(after, "departments")
	c.overlay(brand.ID, after)
	if enabled := after["enabled"] == true; enabled != (brand.Status == salesiq.BrandActive) {
		brand.Status = map[bool]salesiq.BrandStatus{true: salesiq.BrandActive, false: "inactive"}[enabled]
		c.tellVendors(map[bool]salesiq.EventName{true: "brands.enabled", false: "brands.disabled"}[enabled], brand)
	}
	return nil
}

// overlay keeps what calls have set of an object of the domain.
func (s *state) overlay(id string, changed object) {
	s.overlays[id] = changed.with("modified_time", millis(s.now))
}

// placeDepartments replaces the departments of an app.
func (s *state) placeDepartments(brand *salesiq.Brand, ids []any) {
	placed := []salesiq.Department{}
	for _, id := range ids {
		text, _ := id.(string)
		department, _ := s.department(text)
		placed = append(placed, department)
	}
	lost := brand.Departments
	brand.Departments = placed
	s.rescueDepartments(lost)
}

// rescueDepartments gives departments to the first app that no other one has:
// departments are the portal's.
func (s *state) rescueDepartments(departments []salesiq.Department) {
	first := s.firstApp()
	for _, department := range departments {
		if _, kept := s.department(department.ID); !kept {
			first.Departments = append(slices.Clip(first.Departments), department)
		}
	}
}

func deleteApp(c *call) (any, error) {
	brand, err := c.brands.find(c.id)
	if err != nil {
		return nil, err
	}
	if len(c.brands.order) == 1 {
		return nil, lastOne("app")
	}
	departments := brand.Departments
	if err := c.brands.remove(c.id); err != nil {
		return nil, err
	}
	c.rescueDepartments(departments)
	return nil, nil
}

// lastOne refuses to remove the last object of a kind.
func lastOne(kind string) *refusal {
	refused := refuse(salesiq.ErrInvalidRequest, "the last "+kind+" cannot be removed", nil)
	refused.number = 1026
	return refused
}

// widgetFields are what calls set of the widgets of an app.
var widgetFields = []field{
	{name: "widget_type", read: word("float", "button", "custom")},
	{name: "button", read: parts(field{name: "sticker", read: anyText})},
	{name: "float", read: parts(field{name: "position", read: anyText}, field{name: "sticker", read: anyText})},
	{name: "custom_sticker", read: parts(field{name: "type", read: word("float", "button")})},
}

func updateWidgets(c *call) (any, error) {
	brand, err := c.brands.find(c.id)
	if err != nil {
		return nil, err
	}
	at, now := "widgets/"+brand.ID, millis(c.now)
	before := c.singles[at]
	if before == nil {
		before = object{
			"widget_type": "float", "button": object{"sticker": "1", "modified_time": now},
			"float":          object{"position": "bottomright", "sticker": "1", "modified_time": now},
			"content":        object{"header": brand.WidgetSettings.GreetingMessage, "sub_header": brand.WidgetSettings.OfflineMessage, "action": ""},
			"custom_sticker": object{"id": c.newID("sticker"), "type": "float", "url": livePath + "/downloads/sticker", "is_preview": false},
		}
	}
	shown := before.with("app_name", brand.Name)
	after, err := c.amend(shown, shown, widgetFields, c.body, "")
	if err != nil {
		return nil, err
	}
	for _, part := range []string{"button", "float"} {
		if was, _ := after[part].(object); c.body.sets(part) {
			after[part] = was.with("modified_time", now)
		}
	}
	c.singles[at] = after
	return after, nil
}

// addWebsite gives an app another website, and its widget code.
func addWebsite(c *call) (any, error) {
	brand, err := c.brands.find(c.id)
	if err != nil {
		return nil, err
	}
	in, err := c.amend(object{}, object{}, []field{{name: "website", read: anyText, needed: true}}, c.body, "")
	if err != nil {
		return nil, err
	}
	brand.Website, _ = in["website"].(string)
	now, sticker := millis(c.now), object{"file_path": "", "file_name": ""}
	headers := object{"header": brand.WidgetSettings.GreetingMessage, "sub_header": "", "action": ""}
	return object{
		"website": brand.Website, "code": digest("widget", brand.ID), "modified_time": now,
		"float": object{
			"position": "bottomright", "sticker": "1", "color": brand.WidgetSettings.ThemeColor, "font": "", "hide_when_offline": "false",
			"hide_in_mobile_device": "false", "custom_color": object{"code": brand.WidgetSettings.ThemeColor, "is_enabled": "false"},
			"custom_sticker": object{"online": sticker, "offline": sticker, "is_enabled": "false"},
			"online_headers": headers, "offline_headers": headers.with("header", brand.WidgetSettings.OfflineMessage), "modified_time": now,
		},
	}, nil
}

// digest makes an identifier of a text, the same each time.
func digest(purpose, text string) string {
	sum := sha256.Sum256([]byte(purpose + " " + text))
	return hex.EncodeToString(sum[:])
}

var mobileComponents = []string{"chat", "call", "proactive", "faq"}

func channelAt(appID, kind string) string { return "apps/" + appID + "/channels/" + kind }

var components = field{name: "components", needed: true, read: listOf(word(mobileComponents...))}

// androidFields and iosFields are what calls set of a channel.
var (
	androidFields = []field{{name: "enabled", read: aFlag}}
	iosFields     = []field{
		{name: "enabled", read: aFlag},
		{name: "sandbox_notifications", read: parts(field{name: "enabled", read: aFlag})},
		{name: "production_notifications", read: parts(field{name: "enabled", read: aFlag})},
	}
)

// createChannel begins a channel with one access key.
func createChannel(kind string) handler {
	return func(c *call) (any, error) {
		at := channelAt(c.id, kind)
		if _, err := c.brands.find(c.id); err != nil {
			return nil, err
		}
		if c.singles[at] != nil {
			return nil, duplicate(kind+" channel", "bundle_name")
		}
		in, err := c.amend(object{}, object{}, []field{{name: "bundle_name", read: anyText, needed: true}}, c.body, "")
		if err != nil {
			return nil, err
		}
		now, key := millis(c.now), digest("key", at)
		channel := object{
			"enabled": true, "app_key": digest("app", at)[:24] + "%2B", "bundle_name": in["bundle_name"], "components": []any{"chat", "faq", "proactive"},
			"creator": c.owner(), "modified_time": now,
			"access_keys": []object{{
				"version": "1", "enabled": true, "key": key, "creator": c.owner(), "created_time": now,
				"uuid": strings.Join([]string{key[:8], key[8:12], key[12:16], key[16:20], key[20:32]}, "-"),
			}},
		}
		if kind == "ios" {
			channel["sandbox_notifications"] = object{"enabled": false, "certificate": "", "password": "", "test_devices": []string{}}
			channel["production_notifications"] = object{"enabled": false, "certificate": "", "password": ""}
		}
		c.singles[at] = channel
		return channel, nil
	}
}

// channel finds a channel.
func (c *call) channel(kind string) (object, error) {
	if channel := c.singles[channelAt(c.id, kind)]; channel != nil {
		return channel, nil
	}
	_, err := c.brands.find(c.id)
	return nil, cmp.Or(err, error(notFound(kind+" channel of the app", c.id)))
}

func getChannel(kind string) handler { return func(c *call) (any, error) { return c.channel(kind) } }

func updateChannel(kind string, fields ...field) handler {
	return func(c *call) (any, error) {
		channel, err := c.channel(kind)
		if err != nil {
			return nil, err
		}
		after, err := c.amend(channel, channel, fields, c.body, "")
		if err == nil {
			after["modified_time"] = millis(c.now)
			c.singles[channelAt(c.id, kind)] = after
		}
		return after, err
	}
}

// listAccessKeys writes the keys with a text for enabled, which a channel has as a
// flag.
func listAccessKeys(c *call) (any, error) {
	channel, err := c.channel("ios")
	if err != nil {
		return nil, err
	}
	keys, _ := channel["access_keys"].([]object)
	var shown []object
	for _, key := range keys {
		shown = append(shown, key.with("enabled", asText(key["enabled"])))
	}
	return window(c, shown, 0, len(shown), nil)
}
