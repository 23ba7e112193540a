/* Exchanges of an XFlash agent in the words of xflash_script_parse(): what both the vectors and the hostile phones are made of. */
#pragma once

#define ENV              ":0200000001000000000000000000000000000000 "
#define CTRL(code)       "H> 10009 D> 0 H> " code " D> 0 "
#define REFUSE(code)     "H> 10009 D> 0 H> " code " D> C0010004 "
#define SET(code, value) CTRL(code) "H> " value " D> 0 "

#define START_STAGE1 "D> ! H> 434E5953 10100 " ENV "D> 0 H> 10101 0 D> 0 434E5953 "
#define CONFIGURE    SET("20004", "68") SET("20002", "2") SET("20003", "1")
#define BOOT_TO      "H> 10008 D> 0 H> :00000040000000000020000000000000 *8192 D> 0 434E5953 "
#define START        START_STAGE1 CONFIGURE CTRL("4000A") "=preloader 0 " BOOT_TO REFUSE("40016")

/* 2 MiB of SRAM, 2 GiB of DRAM (vector 7). */
#define RAM                                                                                                            \
    CTRL("4000C")                                                                                                      \
    ":020000000000000000002000000000000000070000000000010000000000000000000040000000000000008000000000 "               \
    "0 "
#define EMMC     CTRL("40001") "@emmc 0 "
#define UFS      CTRL("40001") "Z(104) 0 " CTRL("40004") "@ufs 0 "
#define ID_REPLY ":00112233445566778899AABBCCDDEEFF 0 "
#define CHIP     CTRL("4000D") ":6607008A00CA000000000000 0 "
#define TAIL_OF(packets)                                                                                               \
    CHIP CTRL("40008") ID_REPLY CTRL("40007") packets " 0 " CTRL("40005") "=1.0 0 " CTRL("40014")                      \
        ID_REPLY CTRL("40010") "10 0 " CTRL("40012") "6 0 " CTRL("80007") "0 "
/* Packets of 64 KiB both ways, so that tests need not move megabytes. */
#define TAIL TAIL_OF(":0000010000000100")
#define OPEN START RAM EMMC TAIL
