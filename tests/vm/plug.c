/* plug VHCI-PORT TCP-PORT: keeps the virtual phone that listens there plugged into that port of the kernel's virtual hub, as a cable would:
 * whenever it appears on the bus, it is attached. Ends when it is told to. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ATTACH   "/sys/devices/platform/vhci_hcd.0/attach"
#define PAUSE_US 20000
#define REQUEST  40
#define REPLY    320

static uint32_t word(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int dial(uint16_t number)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(number), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        return fd;
    }
    close(fd);
    return -1;
}

/* OP_REQ_IMPORT of the bus id 1-1. True: REPLY_BYTES holds the device. */
static bool import(int fd, uint8_t reply[REPLY])
{
    static const uint8_t request[REQUEST] = {1, 0x11, 0x80, 3, 0, 0, 0, 0, '1', '-', '1'};
    return send(fd, request, sizeof request, MSG_NOSIGNAL) == sizeof request && recv(fd, reply, 8, MSG_WAITALL) == 8 &&
           word(reply + 4) == 0 && recv(fd, reply + 8, REPLY - 8, MSG_WAITALL) == REPLY - 8;
}

static bool attach(unsigned port, int fd, const uint8_t reply[REPLY])
{
    const uint8_t *numbers = reply + 8 + 256 + 32; /* bus, device, speed */
    FILE *file = fopen(ATTACH, "w");
    if (!file) {
        perror(ATTACH);
        exit(1);
    }
    fprintf(file, "%u %d %u %u\n", port, fd, word(numbers) << 16 | word(numbers + 4), word(numbers + 8));
    return fclose(file) == 0;
}

/* The kernel has the socket now; we only see it end. */
static void wait_for_end(int fd)
{
    struct pollfd end = {.fd = fd, .events = POLLRDHUP};
    poll(&end, 1, -1);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: plug VHCI-PORT TCP-PORT\n");
        return 1;
    }
    unsigned port = (unsigned)atoi(argv[1]);
    for (;; usleep(PAUSE_US)) {
        uint8_t reply[REPLY];
        int fd = dial((uint16_t)atoi(argv[2]));
        if (fd < 0)
            continue;
        if (import(fd, reply) && attach(port, fd, reply))
            wait_for_end(fd);
        close(fd);
    }
}
