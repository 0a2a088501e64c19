/**
 * TCP, TLS and unix stream sockets: servers, clients and the connection they share.
 *
 * @module
 */
export {};
