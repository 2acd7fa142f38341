// Package canonical gives every address of a page one form, so that addresses
// can be compared, and be the keys by which a crawler knows what it has seen.
//
// It fetches nothing and follows no redirects, and it knows only what holds for
// every site: that two addresses with different forms lead to the same page is
// for the site to say. It is for http and https.
//
// What [URL] does, and where it stands:
//
//   - Blanks and control characters around the address are dropped, and tabs
//     and line ends within (RFC 3986, appendix C; the WHATWG URL standard, 4.4).
//   - Scheme and host are in lower case (RFC 3986, 6.2.2.1).
//   - A host in other letters than ASCII is in Punycode (RFC 3987, 3.1; UTS 46,
//     not transitional, as in browsers), and its escapes are undone (RFC 3986,
//     3.2.2). The dot at its end is dropped (RFC 1034, 3.1: the names on the web
//     are absolute with and without).
//   - An IPv4 address is in four decimal numbers, also one in octal, hexadecimal
//     or fewer numbers (RFC 3986, 7.4); an IPv6 address is in its one short form
//     (RFC 5952).
//   - A user and password are dropped (RFC 9110, 4.2.4): they are no part of
//     what is fetched, and no secret gets into a key.
//   - The port is dropped if it is empty or the scheme's own (RFC 3986, 6.2.3).
//   - Escapes are in capitals (RFC 3986, 6.2.2.1); letters, digits and - . _ ~
//     are not escaped (6.2.2.2); what may not stand in an address is, in UTF-8
//     (RFC 3987, 3.1). Nothing else is undone: %2F is no slash, and %2B no plus.
//     A % that begins no escape is %25.
//   - The segments . and .. of a path are resolved (RFC 3986, 6.2.2.3), and an
//     empty path is / (6.2.3). Empty segments stay: they may mean something.
//   - The parameters of a query are sorted by their names; those of one name
//     keep their order. Empty ones, and an empty query, are dropped. No RFC says
//     that this is the same page; it is on nearly every site, and
//     [Options.KeepOrder] is for the others.
//   - The fragment is dropped (RFC 3986, 3.5: it is never sent), unless
//     [Options.KeepFragment] is set.
//
// The canonical form of a canonical form is itself.
package canonical
