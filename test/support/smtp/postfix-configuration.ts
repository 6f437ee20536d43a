/** A recipient whose mail server replies to Postfix as a submission server replies to a client without login. */
export const HOSTILE_RECIPIENT = "stranger@hostile.example";

/**
 * Postfix as a submission server, from https://www.postfix.org/SASL_README.html,
 * https://www.postfix.org/SMTPD_POLICY_README.html and https://www.postfix.org/ADDRESS_VERIFICATION_README.html.
 *
 * @param folder of its files and sockets
 * @param nextHop port of the server that all accepted messages go to
 */
export function mainConfiguration(folder: string, nextHop: number): string {
  return `
compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
maillog_file = ${folder}/postfix.log
maillog_file_prefixes = ${folder}
myhostname = mx.example.net
mydestination = example.net
mynetworks =
alias_maps =
alias_database =
local_recipient_maps = inline:{ { postmaster = postmaster } }
default_transport = smtp:[127.0.0.1]:${nextHop}
smtp_host_lookup = native
# Results of address verification, in memory.
address_verify_map =
smtpd_tls_chain_files = ${folder}/tls.pem
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_received_header = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = ${folder}/auth
smtpd_sasl_authenticated_header = yes
smtpd_sender_login_maps = inline:{ { sender@example.com = postmaster } { jörg@example.com = postmaster } }
smtpd_sender_restrictions = reject_sender_login_mismatch
smtpd_relay_restrictions = permit_sasl_authenticated, defer_unauth_destination
smtpd_restriction_classes = greylist, quota
greylist = check_policy_service unix:${folder}/greylist
quota = check_policy_service unix:${folder}/quota
smtpd_recipient_restrictions = check_recipient_access
  inline:{ { greylisted@example.org = greylist } { full@example.org = quota } }
`;
}

/** @param listeners their ports and options */
export function masterConfiguration(
  listeners: readonly [port: number, options: readonly string[]][],
): string {
  const smtpd = listeners.map(([port, options]) =>
    [`localhost:${port} inet n - n - - smtpd`, ...options.map((option) => `  -o ${option}`)].join("\n"),
  );
  return `
${smtpd.join("\n")}
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
verify unix - - n - 1 verify
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`;
}

/**
 * Dovecot 2.3 as SASL and quota service of Postfix, from
 * https://doc.dovecot.org/2.3/configuration_manual/howto/postfix_and_dovecot_sasl/ and
 * https://doc.dovecot.org/2.3/configuration_manual/quota_plugin/.
 */
export function dovecotConfiguration(folder: string): string {
  return `
base_dir = ${folder}/dovecot
state_dir = ${folder}/dovecot
log_path = ${folder}/dovecot.log
protocols =
ssl = no
auth_mechanisms = plain login
auth_failure_delay = 0
passdb {
  driver = passwd-file
  args = scheme=PLAIN ${folder}/users
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=${folder}/mailboxes/%u
}
mail_location = maildir:~/Maildir
mail_plugins = quota
plugin {
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:bytes=1
  quota_status_success = DUNNO
  quota_status_nouser = DUNNO
  quota_status_overquota = "552 5.2.2 Mailbox is full"
}
service auth {
  unix_listener ${folder}/auth {
    mode = 0666
  }
}
service anvil {
  # Delays no login from an address after wrong passwords.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service quota-status {
  executable = quota-status -p postfix
  client_limit = 1
  unix_listener ${folder}/quota {
    mode = 0666
  }
}
`;
}
