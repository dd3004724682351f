/** How the dashboard signs people in at the platform's issuer: an OpenID Connect client that needs no secret. */
export interface DashboardSignIn {
  readonly issuer: string
  readonly clientId: string
  readonly scope: string
  /** Some issuers give a JWT as the access token only for a named audience. */
  readonly audience: string | undefined
}
