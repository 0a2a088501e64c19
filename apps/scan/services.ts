/**
 * The names of the services that commonly listen on a port.
 *
 * @module
 */

/** IANA's names (RFC 6335) where there is one, otherwise the usual name. */
const NAMES = `
  7 echo, 9 discard, 13 daytime, 19 chargen, 20 ftp-data, 21 ftp, 22 ssh, 23 telnet, 25 smtp,
  37 time, 43 whois, 53 domain, 70 gopher, 79 finger, 80 http, 88 kerberos, 110 pop3,
  111 rpcbind, 113 ident, 119 nntp, 135 msrpc, 139 netbios-ssn, 143 imap, 161 snmp, 179 bgp,
  194 irc, 389 ldap, 427 svrloc, 443 https, 445 microsoft-ds, 465 submissions, 502 modbus,
  514 shell, 515 printer, 548 afp, 554 rtsp, 587 submission, 631 ipp, 636 ldaps, 853 domain-s,
  873 rsync, 902 vmware-auth, 989 ftps-data, 990 ftps, 993 imaps, 995 pop3s, 1080 socks,
  1194 openvpn, 1433 ms-sql-s, 1521 oracle, 1723 pptp, 1883 mqtt, 2049 nfs, 2181 zookeeper,
  2375 docker, 2376 docker-s, 2379 etcd-client, 2380 etcd-server, 3000 http-dev, 3128 http-proxy,
  3260 iscsi, 3306 mysql, 3389 ms-wbt-server, 4222 nats, 4369 epmd, 5000 upnp, 5060 sip,
  5061 sips, 5173 vite, 5222 xmpp-client, 5269 xmpp-server, 5432 postgresql, 5601 kibana,
  5671 amqps, 5672 amqp, 5900 vnc, 5938 teamviewer, 5984 couchdb, 6000 x11, 6379 redis,
  6443 kubernetes, 6667 ircd, 6697 ircs, 7000 afs3-fileserver, 7687 bolt, 8000 http-alt,
  8008 http-alt, 8080 http-proxy, 8081 http-alt, 8123 home-assistant, 8200 vault, 8443 https-alt,
  8500 consul, 8883 secure-mqtt, 8888 http-alt, 9000 cslistener, 9042 cassandra, 9090 prometheus,
  9092 kafka, 9100 jetdirect, 9200 elasticsearch, 9229 node-inspector, 9418 git, 10250 kubelet,
  11211 memcached, 15672 rabbitmq-admin, 25565 minecraft, 27017 mongodb, 32400 plex, 50051 grpc
`;

const SERVICES: ReadonlyMap<number, string> = new Map(
  Array.from(NAMES.matchAll(/(\d+) ([\w-]+)/g), ([, port, name = ""]) => [Number(port), name]),
);

/** The ports with a name, in ascending order. */
export const WELL_KNOWN_PORTS: readonly number[] = [...SERVICES.keys()];

/**
 * The name of the service that commonly listens on a port. It is a guess from the number: only
 * the answers tell what really listens there.
 *
 * @param port The port.
 * @returns The name; `undefined` if there is none.
 */
export function serviceName(port: number): string | undefined {
  return SERVICES.get(port);
}

/** The lowest port of a service's name. */
export function servicePort(name: string): number | undefined {
  const wanted = name.toLowerCase();
  return WELL_KNOWN_PORTS.find((port) => SERVICES.get(port) === wanted);
}
