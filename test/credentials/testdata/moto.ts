import type { Daemons } from "../../registries/testdata/daemon.ts";

/** An AWS of one's own: moto's server, which speaks the APIs of Secrets Manager, KMS, ECR and IAM. */
export class Moto {
  readonly url: string;

  private constructor(url: string) {
    this.url = url;
  }

  /** @param tls the files of a certificate for 127.0.0.1. Default: plain HTTP */
  static async start(daemons: Daemons, tls?: { readonly certificate: string; readonly key: string }): Promise<Moto> {
    const args = ["-H", "127.0.0.1", "-p", "0", ...(tls ? ["-c", tls.certificate, "-k", tls.key] : [])];
    return new Moto(await daemons.start("moto_server", args, /Running on (https?:\/\/127\.0\.0\.1:\d+)/));
  }

  /** What AWS clients need to come here. */
  env(region: string, key = { id: "AKIAIOSFODNN7EXAMPLE", secret: "aws-key" }): Record<string, string> {
    return {
      AWS_ENDPOINT_URL: this.url,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: key.id,
      AWS_SECRET_ACCESS_KEY: key.secret,
      AWS_EC2_METADATA_DISABLED: "true",
    };
  }

  async createSecret(region: string, name: string, value: string): Promise<void> {
    await this.#ask(region, "secretsmanager", {
      headers: { "x-amz-target": "secretsmanager.CreateSecret", "content-type": "application/x-amz-json-1.1" },
      body: JSON.stringify({ Name: name, SecretString: value, ClientRequestToken: crypto.randomUUID() }),
    });
  }

  /**
   * Makes a key of KMS.
   *
   * @param spec such as `ECC_NIST_P256`, or `SYMMETRIC_DEFAULT`
   * @returns its ARN
   */
  async createKey(region: string, alias: string, spec: string): Promise<string> {
    const call = (action: string, body: object) =>
      this.#ask(region, "kms", {
        headers: { "x-amz-target": `TrentService.${action}`, "content-type": "application/x-amz-json-1.1" },
        body: JSON.stringify(body),
      });
    const usage = spec.startsWith("SYMMETRIC") ? "ENCRYPT_DECRYPT" : "SIGN_VERIFY";
    const { KeyMetadata: key } = JSON.parse(await call("CreateKey", { KeySpec: spec, KeyUsage: usage }));
    await call("CreateAlias", { AliasName: `alias/${alias}`, TargetKeyId: key.KeyId });
    return key.Arn;
  }

  /** The key of a user who may do nothing. */
  async createPowerlessUser(): Promise<{ id: string; secret: string }> {
    const form = (action: string) => ({
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ Action: action, Version: "2010-05-08", UserName: "nobody" }).toString(),
    });
    await this.#ask("us-east-1", "iam", form("CreateUser"));
    const answer = await this.#ask("us-east-1", "iam", form("CreateAccessKey"));
    const field = (name: string) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(answer)?.[1] ?? "";
    return { id: field("AccessKeyId"), secret: field("SecretAccessKey") };
  }

  /** From now on, or not any more, users may do only what policies let them. */
  async enforcePolicies(enforce: boolean): Promise<void> {
    const body = enforce ? "0" : "inf";
    const response = await fetch(`${this.url}/moto-api/reset-auth`, { method: "POST", body });
    if (!response.ok) throw new Error(`moto: ${response.status} ${await response.text()}`);
  }

  async #ask(region: string, service: string, request: { headers: object; body: string }): Promise<string> {
    const authorization = `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`;
    const response = await fetch(this.url, { method: "POST", ...request, headers: { ...request.headers, authorization } });
    const text = await response.text();
    if (!response.ok) throw new Error(`moto: ${response.status} ${text}`);
    return text;
  }
}
