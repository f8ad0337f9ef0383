import type { Digest } from "../../oci/digest.ts";

/** Signatures of one image that cosign 3.1.3 made with `--new-bundle-format=true` and `false`, and their key. */
export const signedByCosign = {
  image: "sha256:e7612d3c24ceab059f5773e7bf8b4fa9eb6d8bb4955623a577dce7310b2f9eef" as Digest,
  publicKey: `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEVPpcN77EvrECRA+2li5xtaPnJ/XP
Un/J5Wsr9OX2AIWzPaF1cX2DCFkIydrYi3qFwEFvyHoXpUJSohYaw0FMxg==
-----END PUBLIC KEY-----
`,
  bundle:
    '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial":{"publicKey":{"hint":"npz22PYiK/3zbwgw3AVkGsjZeZSyMIRhSopg6ZhGSeU="}}, "dsseEnvelope":{"payload":"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjEiLCAic3ViamVjdCI6W3siZGlnZXN0Ijp7InNoYTI1NiI6ImU3NjEyZDNjMjRjZWFiMDU5ZjU3NzNlN2JmOGI0ZmE5ZWI2ZDhiYjQ5NTU2MjNhNTc3ZGNlNzMxMGIyZjllZWYifSwgImFubm90YXRpb25zIjp7fX1dLCAicHJlZGljYXRlVHlwZSI6Imh0dHBzOi8vc2lnc3RvcmUuZGV2L2Nvc2lnbi9zaWduL3YxIiwgInByZWRpY2F0ZSI6e319", "payloadType":"application/vnd.in-toto+json", "signatures":[{"sig":"MEQCIAyAU+fjAKwOwUntFDdlsFteys4ktaISqLawx4A8kvKcAiB7p454rvBMQFJ2oF3TUxHHBserrxNJkDAzWYIljpXFoA=="}]}}',
  payload:
    '{"critical":{"identity":{"docker-reference":"localhost:5972/team/app"},"image":{"docker-manifest-digest":"sha256:e7612d3c24ceab059f5773e7bf8b4fa9eb6d8bb4955623a577dce7310b2f9eef"},"type":"cosign container image signature"},"optional":null}',
  signature:
    "MEQCIFePJqRZmP9vpwoBDardiUttpYIaEmGktOJyTWMtfmZbAiBpckDebxjGhnqeqXCchqhGmBflwu2YkNmGvDqtv6Dbww==",
};
