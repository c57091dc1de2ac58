package salesiqtest

import (
	"net/http"
	"strings"
	"time"
)

// SOID names the organization of the server, for clients that sign in with their
// credentials alone. The live service publishes no name of SalesIQ's for it.
const SOID = "SalesIQ.600434"

// What the OAuth server permits to devices, as published for the live one.
const (
	deviceLifetime = 5 * time.Minute
	devicePace     = 30 * time.Second
)

// device is a sign-in that waits for its user.
type device struct {
	scopes    []string
	userCode  string
	offline   bool
	expires   time.Time
	asked     time.Time // The last time; zero before the first.
	consented bool
	denied    bool
	location  string // Where the user lives; empty for here.
}

// grantClient answers a self client that signs in with its credentials alone. It gets
// no refresh token.
func grantClient(scope, soid string) (g *grant, reason string) {
	scopes := splitScopes(scope)
	switch {
	case len(scopes) == 0:
		return nil, "invalid_scope"
	case soid == "":
		return nil, "missing_org_info"
	case soid != SOID:
		return nil, "invalid_soid"
	}
	return &grant{scopes: scopes}, ""
}

func splitScopes(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

// beginDevice answers POST /oauth/v3/device/code. Like the live service, it counts
// expires_in in milliseconds.
func (s *Server) beginDevice(w http.ResponseWriter, r *http.Request) {
	scopes := splitScopes(r.FormValue("scope"))
	switch {
	case r.FormValue("client_id") != clientID:
		writeJSON(w, http.StatusOK, object{"error": "invalid_client"})
		return
	case r.FormValue("grant_type") != "device_request":
		writeJSON(w, http.StatusOK, object{"error": "unsupported_grant_type"})
		return
	case len(scopes) == 0:
		writeJSON(w, http.StatusOK, object{"error": "invalid_scope"})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	text := newToken()
	d := &device{
		scopes: scopes, userCode: randomText(8), expires: s.now().Add(deviceLifetime),
		offline: r.FormValue("access_type") == "offline",
	}
	s.tokens.devices[text] = d
	writeJSON(w, http.StatusOK, object{
		"device_code": text, "user_code": d.userCode, "verification_url": s.URL + "/oauth/v3/device",
		"interval": 5000, "expires_in": deviceLifetime.Milliseconds(),
	})
}

// visitDevice stands for the page on which a user enters the code of a device. It
// agrees at once; with answer=deny it refuses. With a location, the user's account is
// in another data center.
func (s *Server) visitDevice(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.tokens.devices {
		if d.userCode == r.FormValue("user_code") && d.expires.After(s.now()) {
			d.denied = r.FormValue("answer") == "deny"
			d.consented, d.location = !d.denied, r.FormValue("location")
			writeJSON(w, http.StatusOK, object{"status": "success"})
			return
		}
	}
	writeJSON(w, http.StatusBadRequest, object{"error": "invalid_user_code"})
}

// pollDevice answers POST /oauth/v3/device/token. Errors have status 200.
func (s *Server) pollDevice(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.TokenRequests++
	refused := object{}
	d := s.tokens.devices[r.FormValue("code")]
	switch now := s.now(); {
	case r.FormValue("client_id") != clientID:
		refused["error"] = "invalid_client"
	case r.FormValue("client_secret") != clientSecret:
		refused["error"] = "invalid_client_secret"
	case r.FormValue("grant_type") != "device_token":
		refused["error"] = "unsupported_grant_type"
	case d == nil:
		refused["error"] = "invalid_code"
	default:
		refused = s.pollAt(r, d, now)
	}
	if len(refused) > 0 {
		s.stats.TokensDenied++
		writeJSON(w, http.StatusOK, refused)
		return
	}
	delete(s.tokens.devices, r.FormValue("code"))
	g, refresh := s.newGrant(d.scopes, d.offline, false)
	s.giveToken(w, g, refresh)
}

// pollAt returns why a device gets no token now, or nothing if it does.
func (s *Server) pollAt(r *http.Request, d *device, now time.Time) object {
	hurried := !d.asked.IsZero() && now.Sub(d.asked) < devicePace
	d.asked = now
	switch {
	case hurried:
		return object{"error": "slow_down"}
	case !d.expires.After(now):
		return object{"error": "expired"}
	case d.denied:
		return object{"error": "access_denied"}
	case !d.consented:
		return object{"error": "authorization_pending"}
	case d.location != "" && "http://"+r.Host == s.URL:
		return object{"error": "other_dc", "user_location": d.location}
	}
	return nil
}
