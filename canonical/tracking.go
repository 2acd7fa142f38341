package canonical

import "strings"

// tracking are the parameters that advertisers, newsletters and statistics add
// to links. None is here that a site may use for its pages.
var tracking = map[string]bool{
	// Google
	"gclid": true, "gclsrc": true, "dclid": true, "gbraid": true, "wbraid": true, "srsltid": true,
	"_ga": true, "_gl": true, "gad_source": true, "gad_campaignid": true,
	// Meta, Microsoft, Yandex, X, TikTok, LinkedIn, Pinterest, Adobe
	"fbclid": true, "igshid": true, "igsh": true, "msclkid": true, "yclid": true, "ysclid": true, "_openstat": true,
	"twclid": true, "ttclid": true, "li_fat_id": true, "epik": true, "s_kwcid": true,
	// Mail and marketing: Mailchimp, Marketo, HubSpot, Klaviyo, Olytics, Vero, Wicked Reports
	"mc_cid": true, "mc_eid": true, "mkt_tok": true, "_hsenc": true, "_hsmi": true, "__hssc": true, "__hstc": true,
	"__hsfp": true, "hsctatracking": true, "_kx": true, "oly_anon_id": true, "oly_enc_id": true, "vero_id": true,
	"wickedid": true,
}

// trackingPrefixes are those of families: Urchin and all who followed it,
// Matomo, Piwik.
var trackingPrefixes = []string{"utm_", "mtm_", "pk_"}

// drops reports whether a parameter, in its one form, is to be dropped.
func (o Options) drops(param string) bool {
	if !o.DropTracking && len(o.Drop) == 0 {
		return false
	}
	n := strings.ToLower(name(param))
	if o.DropTracking {
		if tracking[n] {
			return true
		}
		for _, p := range trackingPrefixes {
			if strings.HasPrefix(n, p) {
				return true
			}
		}
	}
	for _, d := range o.Drop {
		prefix, family := strings.CutSuffix(strings.ToLower(d), "*")
		if n == prefix || family && strings.HasPrefix(n, prefix) {
			return true
		}
	}
	return false
}
