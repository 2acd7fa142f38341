package memory

// ShareOf is Share for another Total.
var ShareOf = share
