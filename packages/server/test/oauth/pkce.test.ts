import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Secret } from '../../src/core/secret.ts'
import { createVerifier, s256Challenge } from '../../src/oauth/pkce.ts'

it('computes the challenge of RFC 7636 Appendix B', () => {
  const verifier = new Secret('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')
  assert.equal(s256Challenge(verifier), 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM')
})

it('makes a fresh verifier of at least 43 unreserved characters each time', () => {
  const verifiers = Array.from({ length: 100 }, () => createVerifier().reveal())
  for (const verifier of verifiers) assert.match(verifier, /^[A-Za-z0-9._~-]{43,128}$/)
  assert.equal(new Set(verifiers).size, 100)
})
